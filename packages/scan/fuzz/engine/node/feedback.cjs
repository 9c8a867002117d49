// biome-ignore-all lint/suspicious/noDoubleEquals: these stand for the target's own == and !=
"use strict";
/**
 * What instrumented code calls: `__pfc` counts blocks, `__pf` hears the operands of comparisons. Both are constants of the global object, so that
 * V8 folds them; what a target does to them harms its own coverage only.
 */
const CLOSE = 4096;
const BUCKETS = new Uint8Array(256);
for (let i = 1; i < 256; i++) BUCKETS[i] = i < 4 ? 1 << (i - 1) : i < 8 ? 8 : i < 16 ? 16 : i < 32 ? 32 : i < 128 ? 64 : 128;
const { clz32, abs, imul } = Math;
const { defineProperty } = Object;
const MOST_PAIRS = 64;

class Feedback {
  constructor(blocks, guided) {
    const words = (blocks + 4) >> 2;
    const memory = new ArrayBuffer(words * 4 + CLOSE);
    this.blocks = new Uint8Array(memory, 0, words * 4);
    this.words = new Int32Array(memory, 0, words);
    this.close = new Uint8Array(memory, words * 4, CLOSE);
    this.closeWords = new Int32Array(memory, words * 4, CLOSE >> 2);
    this.seen = new Uint8Array(words * 4);
    this.seenClose = new Uint8Array(CLOSE);
    this.guided = guided;
    this.recording = false;
    this.touchedClose = false;
    this.pairs = [];
    this.words_ = new Set();
    this.declared = new WeakSet();
  }

  /** Puts the two names into the world. `onCode` hears text that is about to be evaluated. */
  install(onCode) {
    const { declared } = this;
    const note = (a, b, id) => this.note(a, b, id);
    const api = {
      e: (a, b, id) => a === b || (note(a, b, id), false),
      n: (a, b, id) => a !== b && (note(a, b, id), true),
      q: (a, b, id) => a == b || (note(a, b, id), false),
      u: (a, b, id) => a != b && (note(a, b, id), true),
      l: (a, b, id) => (note(a, b, id), a < b),
      m: (a, b, id) => (note(a, b, id), a <= b),
      g: (a, b, id) => (note(a, b, id), a > b),
      h: (a, b, id) => (note(a, b, id), a >= b),
      a: (word) => {
        if (this.recording && typeof word === "string" && word.length > 0 && word.length < 128) this.words_.add(word);
        return word;
      },
      t: (error) => {
        if (typeof error === "object" && error !== null) declared.add(error);
        return error;
      },
      v: (code) => (onCode(code), code),
    };
    defineProperty(globalThis, "__pf", { value: Object.freeze(api) });
    defineProperty(globalThis, "__pfc", { value: this.blocks });
  }

  /** Two operands that differ: how near they are is progress of its own, and one may replace the other in the input. */
  note(a, b, id) {
    let near;
    if (typeof a === "string") {
      if (typeof b !== "string") return;
      const most = a.length < b.length ? a.length : b.length;
      for (near = 0; near < 15 && near < most && a.charCodeAt(near) === b.charCodeAt(near); near++);
    } else if (typeof a === "number" && typeof b === "number") near = clz32(abs(a - b)) >> 1;
    else return;
    this.close[(imul(id, 16) + near) & (CLOSE - 1)] = 1;
    this.touchedClose = true;
    if (this.recording && this.pairs.length < MOST_PAIRS && a !== b) this.pairs.push([a, b]);
  }

  begin() {
    this.words.fill(0);
    if (this.touchedClose) this.closeWords.fill(0);
    this.touchedClose = false;
  }

  /** 2: a block or a number of visits that no input had before. 1: nearer to what a comparison wants. 0: nothing new. */
  news() {
    let news = 0;
    const { words, blocks, seen } = this;
    for (let w = 0; w < words.length; w++) {
      if (words[w] === 0) continue;
      for (let i = w * 4; i < w * 4 + 4; i++) {
        const bucket = BUCKETS[blocks[i]];
        if ((seen[i] & bucket) !== bucket) {
          seen[i] |= bucket;
          news = 2;
        }
      }
    }
    if (this.touchedClose)
      for (let w = 0; w < this.closeWords.length; w++) {
        if (this.closeWords[w] === 0) continue;
        for (let i = w * 4; i < w * 4 + 4; i++)
          if (this.close[i] > this.seenClose[i]) {
            this.seenClose[i] = 1;
            news ||= 1;
          }
      }
    return this.guided ? news : 0;
  }

  /** What the last run passed, as text: inputs with equal trails are one to a corpus that is made small. */
  trail() {
    const hit = [];
    for (let i = 0; i < this.blocks.length; i++) if (this.blocks[i]) hit.push(i);
    return hit;
  }

  get edges() {
    let count = 0;
    for (const bits of this.seen) if (bits) count++;
    return count;
  }
}

module.exports = { Feedback };
