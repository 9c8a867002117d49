/** What a call gives back. */
import type { Call } from "../ir.ts";
import { EVERY_KIND } from "../kinds.ts";
import type { Given } from "./conditions.ts";
import type { Known, KnownPropagator } from "./knowledge.ts";
import { takenBy } from "./replacing.ts";
import type { Run } from "./run.ts";
import { takenByName } from "./safe-names.ts";
import { slotValues } from "./slots.ts";
import type { Sym } from "./sym.ts";
import { atomOf, COPY, DEEP, everyTaint, fieldOf, joined, moved, NOTHING, stepped, type Taint, TEXT, tainted, united, type Value } from "./value.ts";

export interface CallSeen {
  readonly known: Known | null;
  readonly given: Given;
  readonly name: string;
  readonly shown: string;
  readonly sym: Sym | null;
  readonly callee: Value;
}

export function resultOf(run: Run, node: Call, call: CallSeen): Value {
  const { known, given, sym, shown } = call;
  let value = tainted([], givenSym(run, call));
  if (known !== null) {
    for (const each of known.sanitisers) {
      const inside = [...given.values, ...(given.receiver === null ? [] : [given.receiver])].reduce<readonly Taint[]>(
        (all, one) => united(all, everyTaint(one)),
        [],
      );
      value = { ...value, taints: united(value.taints, moved(inside, each.mode === "copy" ? COPY : TEXT, each.mask)) };
    }
    if (known.sanitisers.length === 0) for (const each of known.propagators) value = propagated(run, node, each, given, value);
    if (call.name === "replace" || call.name === "replaceAll")
      value = { ...value, taints: moved(value.taints, COPY, takenBy(given.values[0], call.name === "replaceAll")) };
    for (const { id } of known.results) value = { ...value, taints: united(value.taints, [run.source(id, node.at, node.end)]) };
    if (value.taints.length > 0) value = { ...value, taints: stepped(value.taints, "passed", shown, node.at, node.end) };
  }
  const inner = given.values.filter((each) => each.sym !== null || each.fields !== null || each.wraps.length > 0);
  if (inner.length > 0) value = { ...value, wraps: inner.slice(0, 8) };
  return isOurs(run, sym, known) ? throughSite(run, node, call, sym as Sym, value) : value;
}

/** What a function that was looked at gave is what it gives. */
function givenSym(run: Run, { sym, callee }: CallSeen): Sym | null {
  const root = sym?.root;
  if (root?.kind === "function" && sym?.depth === 0) {
    const given = run.recorder.returns.get(root.id)?.sym;
    if (given) return given;
  }
  return (callee.sym ?? sym)?.call() ?? null;
}

function propagated(run: Run, node: Call, { from, to, mode }: KnownPropagator, given: Given, value: Value): Value {
  if (typeof to === "object" && "callback" in to) {
    const handed = given.values[to.callback];
    const root = handed?.sym?.root;
    if (handed === undefined || root?.kind !== "function") return value;
    // Evaluated where it stands: what it gives back goes into what comes of all.
    if (handed.wraps.length > 0) return joined(value, handed.wraps[0] ?? NOTHING);
    for (const slot of from) for (const each of slotValues(slot, given)) run.recorder.flows(through(each, mode).taints, `P${root.id}:${to.parameter}`);
    return { ...value, taints: united(value.taints, [{ atom: atomOf(`Q${root.id}`), mode: COPY, mask: 0, step: null }]) };
  }
  let result = NOTHING;
  for (const slot of from)
    for (const whole of slotValues(slot, given)) {
      const part = slot.field === undefined ? whole : slot.field.split(".").reduce(fieldOf, whole);
      result = joined(result, through(part, mode));
    }
  // What is only passed on stays what it is: `promisify(exec)`.
  if (to === "result") return { ...joined(isBare(value) ? result : value, result), sym: (mode === "copy" ? result.sym : null) ?? value.sym };
  // Into one of its own arguments: `Object.assign(target, source)`, `list.push(x)`.
  const target = to.argument === "receiver" ? calleeObject(node) : typeof to.argument === "number" ? node.arguments[to.argument]?.value : undefined;
  if (target?.kind === "variable") {
    const known = run.read(target.id);
    run.env.write(target.id, { ...joined(known, { ...result, constant: undefined, text: null }), sym: known.sym, closed: false });
  }
  return value;
}

/** Nothing is known of it yet but what it is. */
function isBare(value: Value): boolean {
  return value.taints.length === 0 && value.fields === null && value.text === null && value.constant === undefined && value.wraps.length === 0;
}

function calleeObject(node: Call) {
  return node.callee.kind === "member" ? node.callee.object : undefined;
}

function through(value: Value, mode: KnownPropagator["mode"]): Value {
  switch (mode) {
    case "copy":
      return value;
    case "text":
      return { ...tainted(moved(value.taints, TEXT)), constant: value.constant, text: value.text };
    case "deep":
      return tainted(moved(everyTaint(value), DEEP));
    case "element": {
      let element = tainted(value.taints);
      for (const each of value.fields?.values() ?? []) element = joined(element, each);
      return { ...element, constant: undefined };
    }
    case "collection":
      return tainted(everyTaint(value));
  }
}

/** A function of this project, or one that may be: another file says what it does. */
function isOurs(run: Run, sym: Sym | null, known: Known | null): boolean {
  if (sym === null) return false;
  const { root } = sym;
  if (root.kind === "global") return false;
  // A method of an argument is nobody's that can be named; a function that is an argument is its caller's.
  if (root.kind === "parameter") return sym.depth === 0;
  if (root.kind !== "module") return true;
  // What is known by a method's name alone (`find`) may be this project's own.
  return (known === null || run.knowledge.of(sym) === null) && !run.knowledge.knowsModule(root.module);
}

function throughSite(run: Run, node: Call, { given, known, name }: CallSeen, sym: Sym, value: Value): Value {
  const { recorder } = run;
  // A parameter that is called with nothing of interest is not worth a word.
  const site = recorder.site(run.fn, sym, node.at, node.end);
  given.values.forEach((each, index) => recorder.flowsWhole(each, `A${site.id}:${index}`));
  for (const [name, each] of given.named) recorder.flowsWhole(each, `A${site.id}:${name}`);
  if (given.receiver !== null) recorder.flows(given.receiver.taints, `A${site.id}:-1`);
  site.given = given.values;
  const isOwn = sym.root.kind === "module";
  if (!isOwn && known !== null && (known.sanitisers.length > 0 || known.propagators.length > 0)) return value;
  const mask = takenByName(name);
  if (mask === EVERY_KIND) return value;
  const back: Taint = { atom: atomOf(`R${site.id}`), mode: COPY, mask, step: null };
  return { ...value, taints: united(value.taints, [back]) };
}
