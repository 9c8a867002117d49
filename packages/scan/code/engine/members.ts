/** Reading a member: of an object, of `this`, of a collection by a computed name. */
import type { Expression } from "../ir.ts";
import { receiverNames } from "./names.ts";
import type { Run } from "./run.ts";
import { atomOf, everyTaint, fieldOf, joined, NOTHING, type Taint, tainted, united, type Value } from "./value.ts";

export interface Member {
  readonly object: Value;
  readonly value: Value;
  readonly name: string;
}

/** `whole`: nothing further is read of it, so this is what is used of an import. */
export function memberOf(run: Run, node: Expression & { kind: "member" }, whole: boolean): Member {
  const { object: inner } = node;
  const object = inner.kind === "member" ? memberOf(run, inner, false).value : run.value(inner);
  const key = node.computed === null ? null : run.value(node.computed);
  const name = node.name ?? (typeof key?.constant === "string" ? key.constant : null);
  if (name === null) return { object, value: run.guarded(elementBy(object, key ?? NOTHING)), name: "" };
  if (inner.kind === "import" && inner.module !== null) run.outline.imported(inner.module, [name], inner.at, false);
  let value = fieldOf(object, name);
  if (inner.kind === "this") value = ofThis(run, value, name);
  if (inner.kind === "exports") value = run.exported.get(name) ?? value;
  const known = run.knowledge.of(value.sym) ?? (run.knowledge.readNames.has(name) ? run.knowledge.method(name, receiverNames(run, inner)) : null);
  if (known !== null && known.reads.length > 0) {
    const taints = known.reads.map(({ id }) => run.source(id, node.at, node.end));
    value = { ...value, taints: united(value.taints, taints) };
  }
  if (known !== null && known.abilities.length > 0 && known.reads.length > 0) run.outline.ability(known, name, [], node.at);
  if (whole && value.sym !== null) run.outline.used(value.sym, node.at);
  return { object, value: run.guarded(value), name };
}

/** A field of the class, whichever method wrote it. */
function ofThis(run: Run, value: Value, name: string): Value {
  const root = run.thisValue.sym?.root;
  if (root?.kind !== "this") return value;
  const kept = run.heap.get(`${root.id}:${name}`);
  const taint: Taint = { atom: atomOf(`T${root.id}:${name.slice(0, 60)}`), mode: 0, mask: 0, step: null };
  const base = kept === undefined ? value : { ...kept, sym: kept.sym ?? value.sym };
  // Another object's `this.x` is not told apart: whoever made it gave it.
  return { ...base, taints: [taint] };
}

/** `o[k]`: any of its fields, and it is known by which key. */
function elementBy(object: Value, key: Value): Value {
  let value = tainted(object.taints);
  if (object.fields !== null && object.fields.size <= 100) for (const each of object.fields.values()) value = joined(value, each);
  const via = everyTaint(key);
  return via.length === 0 ? value : { ...value, via };
}
