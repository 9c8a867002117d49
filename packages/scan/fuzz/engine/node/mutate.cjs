"use strict";
/** New inputs from old ones: of strings, of numbers, of whole values by their schema. */
const { generate, choose, put, KEYS, NUMBERS, FLOATS } = require("./values.cjs");

const LONGEST = 1 << 16;
const NEST = [
  "(",
  "[",
  "{",
  '{"a":',
  "[[",
  "<a>",
  "not ",
  "-",
  "!",
  "a.",
  "a/",
  "((",
  "/*",
  "*_",
  "&",
  "\\",
  " ",
  "\t",
  "\n",
  "0",
  "a",
  "a ",
  ",",
  ";",
  "=",
  "%",
  "::",
  "``",
];
const { fromCharCode } = String;

class Mutator {
  constructor(random, dictionary, pumps) {
    this.random = random;
    this.words = dictionary;
    this.pumps = pumps;
    this.known = new Set(dictionary);
    /** How the last string was pumped up, where it was: what makes slowness a matter of length. */
    this.pumped = null;
  }

  learn(word) {
    if (this.known.has(word) || this.words.length >= 4096) return;
    this.known.add(word);
    this.words.push(word);
  }

  /** One argument of a parent, changed; the others stay. */
  arguments(args, schemas, pairs, other) {
    const { random } = this;
    this.pumped = null;
    const next = args.slice();
    const rounds = random.once(3) ? 1 + random.below(3) : 1;
    for (let i = 0; i < rounds && schemas.length > 0; i++) {
      const at = random.below(schemas.length);
      if (other && random.once(16)) next[at] = other[at];
      else next[at] = this.within(at, () => this.value(next[at], schemas[at], pairs, 0));
    }
    return next;
  }

  /** Notes where a string lies that was pumped up in there. */
  within(key, change) {
    const before = this.pumped;
    const changed = change();
    if (this.pumped !== null && this.pumped !== before) this.pumped.path.unshift(key);
    return changed;
  }

  value(value, given, pairs, depth) {
    const { random } = this;
    if (random.once(12) || value === undefined) return generate(given, random, this.words, depth);
    const schema = choose(given, random);
    if (Array.isArray(schema.enum) || "const" in schema) return generate(schema, random, this.words, depth);
    if (typeof value === "string") {
      const next = this.text(value, pairs);
      return schema.maxLength === undefined ? next : next.slice(0, schema.maxLength);
    }
    if (typeof value === "number") return this.number(value, schema, pairs);
    if (value === null || typeof value !== "object" || depth > 8) return generate(schema, random, this.words, depth);
    if (typeof value.$bytes === "string") return { $bytes: this.text(value.$bytes, pairs) };
    if (value.$function === 1) return value;
    return Array.isArray(value) ? this.array(value, schema, pairs, depth) : this.object(value, schema, pairs, depth);
  }

  array(value, schema, pairs, depth) {
    const { random } = this;
    const next = value.slice(0, 256);
    const at = random.below(next.length);
    const kind = random.below(5);
    if (next.length === 0 || kind === 0) next.splice(at, 0, generate(schema.items ?? {}, random, this.words, depth + 1));
    else if (kind === 1 && next.length > (schema.minItems ?? 0)) next.splice(at, 1);
    else if (kind === 2) next.push(next[at]);
    else {
      next[at] = this.within(at, () => this.value(next[at], schema.items ?? {}, pairs, depth + 1));
    }
    return schema.maxItems === undefined ? next : next.slice(0, schema.maxItems);
  }

  object(value, schema, pairs, depth) {
    const { random } = this;
    const next = {};
    const keys = Object.keys(value);
    for (const key of keys) put(next, key, value[key]);
    const own = schema.properties ?? {};
    const required = schema.required ?? [];
    const kind = random.below(8);
    const key = keys[random.below(keys.length)];
    if (keys.length > 0 && kind === 0 && !required.includes(key)) delete next[key];
    else if (keys.length === 0 || kind === 1) {
      const names = Object.keys(own);
      const open = names.length === 0 && schema.additionalProperties !== false;
      const added = open ? (random.once(2) && this.words.length > 0 ? random.of(this.words) : random.of(KEYS)) : random.of(names.length ? names : ["a"]);
      const special = open && (added === "__proto__" || added === "constructor" || added === "prototype");
      put(
        next,
        added,
        special
          ? JSON.parse(random.of(['{"pfzq7":1}', '{"prototype":{"pfzq7":1}}']))
          : generate(Object.hasOwn(own, added) ? own[added] : {}, random, this.words, depth + 1),
      );
    } else {
      put(
        next,
        key,
        this.within(key, () => this.value(next[key], Object.hasOwn(own, key) ? own[key] : {}, pairs, depth + 1)),
      );
    }
    return next;
  }

  number(value, schema, pairs) {
    const { random } = this;
    let next = value;
    const pair = pairs.length > 0 && random.once(2) ? random.of(pairs) : null;
    if (pair && typeof pair[0] === "number") next = pair[random.below(2)] + random.below(3) - 1;
    else
      switch (random.below(5)) {
        case 0:
          next = random.of(NUMBERS);
          break;
        case 1:
          next = schema.type === "integer" ? -value : random.of(FLOATS);
          break;
        case 2:
          next = value + random.below(33) - 16;
          break;
        case 3:
          next = value * 2;
          break;
        default:
          next = value ^ (1 << random.below(31));
      }
    if (schema.type === "integer") next = Math.trunc(next);
    if (schema.minimum !== undefined && next < schema.minimum) next = schema.minimum;
    if (schema.maximum !== undefined && next > schema.maximum) next = schema.maximum;
    return Number.isFinite(next) ? next : 0;
  }

  text(value, pairs) {
    let next = value;
    const { random } = this;
    if (random.once(24)) return this.pump(next);
    for (let rounds = 1 << random.below(4); rounds > 0; rounds--) next = this.once(next, pairs);
    return next.length > LONGEST ? next.slice(0, LONGEST) : next;
  }

  once(s, pairs) {
    const { random, words } = this;
    const at = random.below(s.length + 1);
    switch (random.below(12)) {
      case 0:
        return s.slice(0, at) + fromCharCode(32 + random.below(95)) + s.slice(at);
      case 1:
        return s.slice(0, at) + fromCharCode(32 + random.below(95)) + s.slice(at + 1);
      case 2:
        return s.slice(0, at) + s.slice(at + 1 + random.below(8));
      case 3:
        return s.slice(0, at) + s.slice(random.below(at + 1), at) + s.slice(at);
      case 4:
        return s.slice(0, at) + fromCharCode(random.of([0, 9, 10, 13, 34, 39, 92, 96, 123, 125, 127, 0xe9, 0x2028, 0xd800, 0xfeff, 0xffff])) + s.slice(at);
      case 5:
      case 6:
        return words.length === 0 ? s : s.slice(0, at) + random.of(words) + s.slice(at);
      case 7: {
        if (words.length === 0) return s;
        const word = random.of(words);
        const from = random.once(2) ? 0 : at;
        return s.slice(0, from) + word + s.slice(from + word.length);
      }
      default:
        return pairs.length === 0 ? s + fromCharCode(32 + random.below(95)) : this.towards(s, random.of(pairs));
    }
  }

  /** Input to state: where an operand of a comparison stands in the input, put what it was compared with. */
  towards(s, [a, b]) {
    const { random } = this;
    if (random.once(2)) [a, b] = [b, a];
    if (typeof a === "number") {
      if (a === s.length && b >= 0 && b < 4096) {
        const length = b + random.below(3) - 1;
        return length <= s.length ? s.slice(0, Math.max(0, length)) : s.padEnd(length, "a");
      }
      const code = a > 0 && a < 65536 && b > 0 && b < 65536;
      if (code && s.includes(fromCharCode(a))) return replaceOne(s, fromCharCode(a), fromCharCode(b), random);
      if (s.includes(String(a))) return replaceOne(s, String(a), String(b), random);
      const at = random.below(s.length + 1);
      return s.slice(0, at) + (code && random.once(2) ? fromCharCode(b) : String(b)) + s.slice(at + random.below(2));
    }
    if (a !== "" && s.includes(a)) return replaceOne(s, a, b, random);
    const at = random.below(s.length + 1);
    return s.slice(0, at) + b + s.slice(at + (random.once(2) ? b.length : 0));
  }

  /** Much of the same: what makes recursion deep and matching slow. */
  pump(s) {
    const { random } = this;
    if (this.pumps.length > 0 && random.once(2)) {
      const { prefix, unit, suffix } = random.of(this.pumps);
      return this.pumpOf(prefix, unit, suffix);
    }
    const from = random.below(s.length + 1);
    const unit =
      random.once(2) && s.length > 0
        ? s.slice(from, from + 1 + random.below(4))
        : random.once(4) && this.words.length > 0
          ? random.of(this.words)
          : random.of(NEST);
    return this.pumpOf(s.slice(0, from), unit || "a", random.of([s.slice(from), "", "!", "\u0000", "\n!"]));
  }

  pumpOf(prefix, unit, suffix) {
    const most = Math.floor((LONGEST - prefix.length - suffix.length) / unit.length);
    const times = Math.max(1, Math.min(most, 8 << this.random.below(this.random.once(8) ? 13 : 8)));
    this.pumped = { prefix, unit, suffix, times, path: [] };
    return prefix + unit.repeat(times) + suffix;
  }
}

function replaceOne(s, a, b, random) {
  const places = [];
  for (let at = s.indexOf(a); at >= 0 && places.length < 16; at = s.indexOf(a, at + 1)) places.push(at);
  const at = random.of(places);
  return s.slice(0, at) + b + s.slice(at + a.length);
}

module.exports = { Mutator };
