/** Assignments: to variables, into objects, out of patterns; and the sinks that are written to. */
import type { Expression, Pattern } from "../ir.ts";
import { ask } from "./ask.ts";
import { holds } from "./conditions.ts";
import { lastName, namesIn } from "./names.ts";
import type { Run } from "./run.ts";
import { concatenated } from "./text.ts";
import { everyTaint, fieldOf, joined, NOTHING, stepped, tainted, united, type Value, withField } from "./value.ts";

export function assignment(run: Run, node: Expression & { kind: "assign" }): Value {
  const { target, op } = node;
  const name = target.kind === "variable" ? (run.module.variables[target.id]?.name ?? "") : target.kind === "member" ? (target.name ?? "") : "";
  run.around.push(name);
  const answer = ask(run, node.value);
  run.around.pop();
  let { value } = answer;
  if (op === "+") value = concatenated([current(run, target), value], node);
  else if (op === "or") value = joined(current(run, target), value);
  if (target.kind === "variable" && op === "=") {
    if (answer.yes.size > 0 || answer.no.size > 0) run.asked.set(target.id, answer);
    else run.asked.delete(target.id);
  }
  run.writing = node.value;
  run.bind(target, value);
  run.writing = null;
  return value;
}

function current(run: Run, target: Pattern): Value {
  if (target.kind === "variable") return run.read(target.id);
  return target.kind === "member" ? run.value({ ...target, kind: "member" }) : NOTHING;
}

export function bindPattern(run: Run, target: Pattern, value: Value): void {
  switch (target.kind) {
    case "variable":
      toVariable(run, target, value);
      return;
    case "member":
      toMember(run, target, value);
      return;
    case "exports":
      run.exportsValue = value;
      return;
    case "default":
      run.bind(target.target, joined(value, run.value(target.value)));
      return;
    case "array":
      target.items.forEach((item, index) => {
        if (item !== null) run.bind(item, value.fields === null ? tainted(value.taints) : fieldOf(value, String(index)));
      });
      if (target.rest !== null) run.bind(target.rest, { ...tainted(everyTaint(value)), fields: null });
      return;
    case "object":
      for (const { name, computed, target: inner } of target.properties) {
        if (computed !== null) run.value(computed);
        run.bind(inner, name === null ? tainted(value.taints) : destructured(run, value, name, inner));
      }
      if (target.rest !== null) run.bind(target.rest, value);
  }
}

/** `const {exec} = require("child_process")` takes a name of an import. */
function destructured(run: Run, value: Value, name: string, place: Pattern): Value {
  const { sym } = value;
  if (sym?.root.kind === "module" && sym.depth === 0) run.outline.imported(sym.root.module, [name], place.at, false);
  const field = fieldOf(value, name);
  if (field.sym !== null) run.outline.used(field.sym, place.at);
  const known = run.knowledge.of(field.sym);
  if (known === null || known.reads.length === 0) return run.guarded(field);
  return {
    ...field,
    taints: united(
      field.taints,
      known.reads.map(({ id }) => run.source(id, place.at, place.end)),
    ),
  };
}

function toVariable(run: Run, target: Pattern & { kind: "variable" }, value: Value): void {
  const variable = run.module.variables[target.id];
  const { sym } = value;
  if (sym?.root.kind === "module" && sym.depth === 0) run.outline.imported(sym.root.module, ["*"], target.at, false);
  const kept = value.taints.length === 0 ? value : { ...value, taints: stepped(value.taints, "assigned", variable?.name ?? "", target.at, target.end) };
  run.env.write(target.id, kept);
  if (variable?.shared && variable.owner !== run.fn) run.recorder.flowsWhole(kept, `V${target.id}`);
}

function toMember(run: Run, target: Pattern & { kind: "member" }, value: Value): void {
  const { object, name, computed } = target;
  const key = computed === null ? null : run.value(computed);
  const field = name ?? (typeof key?.constant === "string" ? key.constant : null);
  if (object.kind === "exports") {
    if (field !== null) run.exported.set(field, value);
    return;
  }
  const owner = run.value(object);
  if (field === null) written(run, target, owner, key ?? NOTHING);
  else {
    sinksOfWrite(run, target, field, owner, value);
    keep(run, object, field, value);
    return;
  }
  // Into a collection.
  const taints = everyTaint(value);
  if (object.kind === "variable" && (taints.length > 0 || owner.closed))
    run.env.write(object.id, { ...owner, closed: false, taints: united(owner.taints, taints) });
}

/** `o.name = v`, where `o` is a variable, `this`, or a member of one. */
function keep(run: Run, object: Expression, name: string, value: Value): void {
  if (object.kind === "variable") run.env.write(object.id, withField(run.env.read(object.id) ?? NOTHING, name, value));
  else if (object.kind === "this") {
    const root = run.thisValue.sym?.root;
    if (root?.kind !== "this") {
      run.thisValue = withField(run.thisValue, name, value);
      return;
    }
    const key = `${root.id}:${name}`;
    const known = run.heap.get(key);
    const bare = { ...value, taints: [], via: [] };
    run.heap.set(key, known === undefined ? bare : joined(known, bare));
    run.recorder.flowsWhole(value, `T${root.id}:${name.slice(0, 60)}`);
  } else if (object.kind === "member" && object.name !== null) {
    const outer = run.value(object);
    if (outer.fields !== null || value.taints.length > 0) keep(run, object.object, object.name, withField(outer, name, value));
  }
}

function sinksOfWrite(run: Run, target: Pattern & { kind: "member" }, name: string, owner: Value, value: Value): void {
  const written = run.writing;
  for (const { sinks, checks, receiver } of run.knowledge.writes.get(name) ?? []) {
    const called = lastName(run, target.object).toLowerCase();
    if (receiver !== null && !receiver.some((each) => called === each.toLowerCase())) continue;
    const given = {
      values: [value],
      named: new Map(),
      receiver: owner,
      open: false,
      around: [...run.around].reverse(),
      mentions: () => namesIn(run, target.object),
    };
    for (const known of sinks)
      if (known.when.every((each) => holds(each, given))) run.recorder.reaches(known, value.taints, target, `${called}.${name}`, run.fn);
    for (const check of checks) if (check.when.every((each) => holds(each, given))) run.tell(check, target, `${called}.${name}`, written);
  }
}

/** `o[k] = v` with a key from outside; and `o[j][k] = v`, which reaches what all objects share if `j` is `__proto__`. */
function written(run: Run, target: Pattern, owner: Value, key: Value): void {
  const { dynamic } = run.knowledge;
  const keys = everyTaint(key);
  // Keys of the object itself (`for (k in o) o[k] = …`) lead nowhere new.
  const owned = new Set(owner.taints.map(({ atom }) => atom.port));
  if (keys.length === 0 || keys.every(({ atom }) => owned.has(atom.port))) return;
  for (const known of dynamic.key) run.recorder.reaches(known, keys, target, "[…]", run.fn);
  const chosen = [...owner.via, ...viaOf(owner)];
  if (chosen.length > 0) for (const known of dynamic.nested) run.recorder.reaches(known, run.env.filtered(chosen), target, "[…][…]", run.fn);
}

/** What a parameter was taken out by, as far as callers know. */
function viaOf({ taints }: Value): Value["taints"] {
  return taints
    .filter(({ atom, mode }) => mode === 0 && atom.port.startsWith("P") && atom.path === "")
    .map((taint) => ({ ...taint, atom: { ...taint.atom, path: ".%", depth: 1, key: `${taint.atom.port}.%` } }));
}
