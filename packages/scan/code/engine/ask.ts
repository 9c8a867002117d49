/** Questions: what is known of data where the answer is yes, and where it is no. */
import type { Expression } from "../ir.ts";
import { EVERY_KIND, type KindMask, maskOf } from "../kinds.ts";
import { type Called, callOf } from "./calls.ts";
import { holds } from "./conditions.ts";
import type { Run } from "./run.ts";
import { everyTaint, HOST_CLEANSES, joined, NOTHING, type Value } from "./value.ts";

/** Keys of atoms, and as what each can do no harm. */
export type Guards = ReadonlyMap<string, KindMask>;
export interface Answer {
  readonly value: Value;
  readonly yes: Guards;
  readonly no: Guards;
}

const NONE: Guards = new Map();
const PATH = maskOf(["path"]);
const PLACE = maskOf(["path", "request", "redirect"]);
const OBJECT = maskOf(["nosql"]);
const OPTION = maskOf(["argument"]);

/** Evaluates an expression once, and what its truth says. */
export function ask(run: Run, node: Expression): Answer {
  switch (node.kind) {
    case "call":
      return ofCall(callOf(run, node));
    case "variable": {
      const value = run.value(node);
      const asked = run.asked.get(node.id);
      return asked === undefined ? plain(value) : { value, yes: asked.yes, no: asked.no };
    }
    case "not": {
      const { yes, no } = ask(run, node.value);
      return { value: NOTHING, yes: no, no: yes };
    }
    case "logic":
      return ofLogic(run, node);
    case "compare":
      return ofCompare(run, node);
    case "await":
      return ask(run, node.value);
    default:
      return plain(run.value(node));
  }
}

function plain(value: Value): Answer {
  return { value, yes: NONE, no: NONE };
}

/** A guard on a value is a guard on the data in it. */
function guard(value: Value, mask: KindMask): Guards {
  const taints = [...everyTaint(value), ...value.via];
  const guards = new Map<string, KindMask>();
  for (const { atom } of taints) {
    guards.set(atom.key, mask);
    // Who asked for the host of an address asked for the address.
    const host = /\.(hostname|host|origin|href)$/.exec(atom.key);
    if (host !== null) guards.set(atom.key.slice(0, host.index), mask & HOST_CLEANSES);
  }
  return guards.size === 0 ? NONE : guards;
}

function ofLogic(run: Run, node: Expression & { kind: "logic" }): Answer {
  const left = ask(run, node.left);
  if (node.op === "nullish") return plain(joined(left.value, run.value(node.right)));
  const believed = node.op === "and" ? left.yes : left.no;
  let right = plain(NOTHING);
  const { layer } = run.branch(() => {
    run.env.allow(believed);
    right = ask(run, node.right);
    return false;
  });
  for (const [id, written] of layer.writes) run.env.write(id, joined(run.env.read(id) ?? NOTHING, written));
  const value = node.op === "and" ? right.value : joined(left.value, right.value);
  return node.op === "and"
    ? { value, yes: both(left.yes, right.yes), no: either(left.no, right.no) }
    : { value, yes: either(left.yes, right.yes), no: both(left.no, right.no) };
}

function both(a: Guards, b: Guards): Guards {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a;
  const out = new Map(a);
  for (const [key, mask] of b) out.set(key, (out.get(key) ?? 0) | mask);
  return out;
}

function either(a: Guards, b: Guards): Guards {
  const out = new Map<string, KindMask>();
  for (const [key, mask] of a) if ((mask & (b.get(key) ?? 0)) !== 0) out.set(key, mask & (b.get(key) ?? 0));
  return out;
}

function ofCompare(run: Run, node: Expression & { kind: "compare" }): Answer {
  if (node.left.kind === "typeof") return ofType(run, node.left.value, node);
  if (node.right.kind === "typeof") return ofType(run, node.right.value, { ...node, left: node.right, right: node.left });
  const index = indexOf(run, node);
  if (index !== null) return index;
  const left = run.value(node.left);
  const right = run.value(node.right);
  const answer = (yes: Guards, no: Guards): Answer => ({ value: NOTHING, yes, no });
  const [data, other] = everyTaint(left).length > 0 || left.via.length > 0 ? [left, right] : [right, left];
  switch (node.op) {
    case "equal":
    case "unequal": {
      // Equal to what nobody outside chose.
      const known = everyTaint(other).length > 0 || other.constant === null ? NONE : guard(data, EVERY_KIND);
      const key = typeof other.constant === "string" && /^(__proto__|constructor|prototype)$/.test(other.constant) ? guard(data, PROTOTYPE) : NONE;
      return node.op === "equal" ? answer(known, key) : answer(key, known);
    }
    case "in":
    case "not-in": {
      const [yes, no] = membership(left, right);
      return node.op === "in" ? answer(yes, no) : answer(no, yes);
    }
    default:
      return answer(NONE, NONE);
  }
}
const PROTOTYPE = maskOf(["prototype"]);

/** `x in xs`: one of a list of ours; or `".." in x`. */
function membership(item: Value, list: Value): [Guards, Guards] {
  if (typeof item.constant === "string" && list.taints.length > 0) return [NONE, contains(list, item.constant)];
  return list.taints.length > 0 ? [NONE, NONE] : [guard(item, EVERY_KIND), NONE];
}

/** That a text does not hold this. */
function contains(value: Value, text: string): Guards {
  return /\.\.|^[/\\]$|\0/.test(text) ? guard(value, PATH) : /__proto__|prototype/.test(text) ? guard(value, PROTOTYPE) : NONE;
}

/** That a text does not begin so: `relative.startsWith("..")`, `name.startsWith("-")`. */
function begins(value: Value, text: unknown): Guards {
  if (text === "-") return guard(value, OPTION);
  return typeof text === "string" && text.startsWith("..") ? guard(value, PATH) : NONE;
}

function ofType(run: Run, node: Expression, compare: Expression & { kind: "compare" }): Answer {
  const value = run.value(node);
  const type = run.value(compare.right).constant;
  const known = type === "number" || type === "boolean" || type === "undefined" ? guard(value, EVERY_KIND) : type === "string" ? guard(value, OBJECT) : NONE;
  if (compare.op === "equal") return { value: NOTHING, yes: known, no: NONE };
  return compare.op === "unequal" ? { value: NOTHING, yes: NONE, no: known } : plain(NOTHING);
}

/** `xs.indexOf(x) !== -1`, `x.indexOf("..") === -1`, `x.indexOf(base) === 0`. Null for other comparisons. */
function indexOf(run: Run, node: Expression & { kind: "compare" }): Answer | null {
  const { left, right, op } = node;
  if (left.kind !== "call" || left.callee.kind !== "member" || !/^(indexOf|search|lastIndexOf|find|findIndex)$/.test(left.callee.name ?? "")) return null;
  const { given } = callOf(run, left);
  const bound = run.value(right).constant;
  const [item] = given.values;
  if (given.receiver === null || item === undefined) return plain(NOTHING);
  const [yes, no] = membership(item, given.receiver);
  if (bound === 0 && op === "equal") return { value: NOTHING, yes: guard(given.receiver, PLACE), no: NONE };
  if (bound === 0 && op === "unequal") return { value: NOTHING, yes: NONE, no: guard(given.receiver, PLACE) };
  if (bound === -1) return op === "equal" ? { value: NOTHING, yes: no, no: yes } : { value: NOTHING, yes, no };
  // `< 0` and `>= 0` look the same here: both sides are believed.
  return { value: NOTHING, yes: both(yes, no), no: both(yes, no) };
}

const VALIDATES =
  /^(is)?_?(valid|allowed|safe|trusted|whitelisted|allowlisted|permitted|within|inside|sub)|(is|are|check|verify|validate|ensure|assert)_?(valid|allowed|safe|trusted|within|inside|sub|allow|path|url|host|name|id)|whitelist|allowlist|allowed|isSafe|isInside|contains?_?path/i;
const REJECTS = /invalid|unsafe|malicious|dangerous|forbidden|blocked|blacklist|denied|traversal|evil|injection|outside/i;

function ofCall(called: Called): Answer {
  const { value, known, given, name } = called;
  let yes: Guards = NONE;
  let no: Guards = NONE;
  for (const each of known?.guards ?? []) {
    if (each.answer === "returns" || !each.when.every((condition) => holds(condition, given))) continue;
    const of = each.of.argument === "receiver" ? given.receiver : given.values[typeof each.of.argument === "number" ? each.of.argument : 0];
    if (of === null || of === undefined) continue;
    // A list that came from outside allows what outside says.
    const judge = each.of.argument === "receiver" ? given.values[0] : given.receiver;
    if (
      judge !== null &&
      judge !== undefined &&
      each.cleanses === "all" &&
      everyTaint(judge).some(({ atom }) => of.taints.some((taint) => taint.atom.port === atom.port && /^[SP]/.test(atom.port)))
    )
      continue;
    if (each.answer) yes = both(yes, guard(of, each.mask));
    else no = both(no, guard(of, each.mask));
  }
  if (name === "includes" || name === "has" || name === "contains" || name === "some") {
    const text = given.values[0]?.constant;
    if (given.receiver !== null && typeof text === "string") no = both(no, contains(given.receiver, text));
  }
  if (name === "startsWith" && given.receiver !== null) no = both(no, begins(given.receiver, given.values[0]?.constant));
  const pattern = name === "test" ? given.receiver?.text : name === "match" || name === "exec" ? given.values[0]?.text : null;
  const subject = name === "match" ? given.receiver : given.values[0];
  if (typeof pattern === "string" && pattern.startsWith("/") && subject) {
    const [matched, unmatched] = ofPattern(pattern);
    yes = both(yes, guard(subject, matched));
    no = both(no, guard(subject, unmatched));
  }
  if (known === null) {
    const all = given.values.reduce<Guards>((guards, each) => both(guards, guard(each, EVERY_KIND)), NONE);
    if (REJECTS.test(name)) no = both(no, all);
    else if (VALIDATES.test(name)) yes = both(yes, all);
  }
  return { value, yes, no };
}

/** As what a text that matches, and one that does not, can do no harm. */
function ofPattern(pattern: string): [KindMask, KindMask] {
  const source = pattern.slice(1, pattern.lastIndexOf("/"));
  if (source.startsWith("^")) {
    const wide = /(^|[^\\])\.[*+]|\[\^|\\S|\\D|\\W/.test(source);
    if (source.endsWith("$") && !wide) return [EVERY_KIND, 0];
    return [/^\^\(?(\?:)?https?|^\^\\?\//.test(source) ? PLACE : 0, 0];
  }
  if (/^\[\^[^\]]+\][+*]?$/.test(source)) return [0, EVERY_KIND];
  if (/^\[.*\]$|\\W|\\s/.test(source)) return [0, EVERY_KIND];
  if (/\\\.\\\.|\.\.|\\\//.test(source)) return [0, PATH];
  return /__proto__|prototype/.test(source) ? [0, PROTOTYPE] : [0, 0];
}
