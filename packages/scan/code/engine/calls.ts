/** One call: what is called, with what, what comes back, and whether that is worth telling. */
import type { Argument, Call, Expression } from "../ir.ts";
import { boundArguments, handOver } from "./callbacks.ts";
import { type Given, holds } from "./conditions.ts";
import type { Known, KnownSink } from "./knowledge.ts";
import { memberOf } from "./members.ts";
import { lastName, namesIn, receiverNames } from "./names.ts";
import { resultOf } from "./results.ts";
import type { Run } from "./run.ts";
import { slotValues } from "./slots.ts";
import type { Sym } from "./sym.ts";
import { everyTaint, fieldOf, NOTHING, stepped, type Taint, united, type Value } from "./value.ts";

export interface Called {
  readonly value: Value;
  readonly known: Known | null;
  readonly given: Given;
  /** The function's own name. */
  readonly name: string;
}

export function callOf(run: Run, node: Call): Called {
  const { callee } = node;
  if (callee.kind === "function") return immediately(run, node, callee.id);
  const target = calleeOf(run, callee);
  const name = lastName(run, callee);
  const known = knownOf(run, target.sym, callee, name);
  const given = argumentsOf(run, node, known, target.receiver);
  const shown = shownName(run, callee);
  if (known !== null) judge(run, node, known, given, shown);
  if (target.sym !== null) run.outline.used(target.sym, node.at);
  const value = resultOf(run, node, { known, given, name, shown, sym: target.sym, callee: target.value });
  if (known !== null) handOver(run, node, known, given);
  assertions(run, known, given, name);
  if (known !== null && known.exits.length > 0) run.left = node;
  return { value, known, given, name };
}

/** `(function () { … })()`: the arguments are known. */
function immediately(run: Run, node: Call, id: number): Called {
  const given = argumentsOf(run, node, null, null);
  const fn = run.module.functions[id];
  const value = fn === undefined ? NOTHING : run.inPlace(fn, given.values);
  return { value, known: null, given, name: "" };
}

interface Target {
  readonly value: Value;
  readonly receiver: Value | null;
  readonly sym: Sym | null;
}

function calleeOf(run: Run, callee: Expression): Target {
  if (callee.kind === "member") {
    const { object, value, name } = memberOf(run, callee, false);
    // `exec.call(this, x)` is left alone; `fn.bind(null)` is the function.
    return { value, receiver: object, sym: name === "bind" && object.sym !== null ? object.sym : value.sym };
  }
  const value = run.value(callee);
  return { value, receiver: null, sym: value.sym };
}

/** By what it is; else by its name, where nobody knows what it is. */
function knownOf(run: Run, sym: Sym | null, callee: Expression, name: string): Known | null {
  const known = run.knowledge.of(sym);
  if (known !== null) return known;
  if (callee.kind !== "member") return null;
  return run.knowledge.method(name, receiverNames(run, callee.object));
}

function argumentsOf(run: Run, node: Call, known: Known | null, receiver: Value | null): Given {
  const values: Value[] = [];
  const named = new Map<string, Value>();
  let open = false;
  const callbacks = known?.propagators.filter(({ to }) => typeof to === "object" && "callback" in to) ?? [];
  const postponed: { at: number; argument: Argument }[] = [];
  for (const argument of node.arguments) {
    if (argument.kind !== "plain") {
      open = true;
      const spread = run.value(argument.value);
      values.push({ ...NOTHING, taints: everyTaint(spread) });
    } else if (argument.name !== null) named.set(argument.name, run.value(argument.value));
    else if (callbacks.length > 0 && argument.value.kind === "function") {
      postponed.push({ at: values.length, argument });
      values.push(NOTHING);
    } else values.push(run.value(argument.value));
  }
  const names: string[] = [];
  const mentions = () => {
    if (names.length === 0) for (const { value } of node.arguments) namesIn(run, value, names);
    return names;
  };
  const given: Given = { values, named, receiver, open, around: [...run.around].reverse(), mentions };
  for (const { at, argument } of postponed) values[at] = boundArguments(run, callbacks, at, argument.value, given);
  return given;
}

/** Sinks and checks. */
function judge(run: Run, node: Call, known: Known, given: Given, shown: string): void {
  for (const sink of known.sinks) {
    if (!sink.when.every((each) => holds(each, given))) continue;
    const taints = sinkTaints(sink, given);
    if (taints.length > 0) run.recorder.reaches(sink, stepped(taints, "passed", shown, node.at, node.end), node, shown, run.fn);
  }
  for (const check of known.checks) if (check.when.every((each) => holds(each, given))) run.tell(check, node, shown, node.arguments[0]?.value ?? null);
  if (known.abilities.length > 0) run.outline.ability(known, shown, given.values, node.at);
}

/** What of a value comes to a sink. */
export function sinkTaints({ sink, prefix }: KnownSink, given: Given): readonly Taint[] {
  let taints: readonly Taint[] = [];
  for (const slot of sink.arguments)
    for (const value of slotValues(slot, given)) {
      const part = slot.field === undefined ? value : slot.field.split(".").reduce(fieldOf, value);
      if (prefix !== null && part.text?.includes("\0") && prefix.test(part.text.slice(0, part.text.indexOf("\0")))) continue;
      const found = sink.deep ? everyTaint(part) : part.taints;
      taints = united(taints, sink.shape === "object" ? found.filter(({ mode }) => mode === 0) : found);
    }
  return taints;
}

/** A call that throws where data is not as it should be: `assertSafePath(x)`. */
function assertions(run: Run, known: Known | null, given: Given, name: string): void {
  const guards = new Map<string, number>();
  for (const each of known?.guards ?? []) {
    if (each.answer !== "returns" || !each.when.every((condition) => holds(condition, given))) continue;
    for (const value of slotValues(each.of, given)) for (const { atom } of everyTaint(value)) guards.set(atom.key, each.mask);
  }
  if (known === null && ASSERTS.test(name)) for (const value of given.values) for (const { atom } of everyTaint(value)) guards.set(atom.key, -1);
  if (guards.size > 0) run.env.allow(guards);
}
const ASSERTS = /^(assert|ensure|validate|require|check|verify)_?(is_?)?(safe|valid|allow|path|url|host|within|inside|name|input|arg|param|identifier)/i;

/** `child_process.exec`, as a reader would say it. */
function shownName(run: Run, callee: Expression): string {
  const own = lastName(run, callee);
  if (callee.kind !== "member") return own;
  const of = lastName(run, callee.object);
  return (of === "" ? own : `${of}.${own}`).slice(0, 80);
}
