/** What things are called, for rules that can go by nothing else. */
import type { Expression } from "../ir.ts";
import type { Run } from "./run.ts";

/** `this.userDb` → `userDb`; `getDb()` → `getDb`. */
export function lastName(run: Run, node: Expression): string {
  switch (node.kind) {
    case "variable":
      return run.module.variables[node.id]?.name ?? "";
    case "global":
      return node.name;
    case "member":
      return node.name ?? "";
    case "call":
      return lastName(run, node.callee);
    case "await":
      return lastName(run, node.value);
    case "this":
      return "this";
    default:
      return "";
  }
}

/** What a receiver may be known by: `res.status(404)` is a `status`, and still the `res`. */
export function receiverNames(run: Run, node: Expression): string[] {
  const names = [lastName(run, node)];
  let at: Expression = node;
  for (let depth = 0; depth < 4 && at.kind === "call" && at.callee.kind === "member"; depth++) {
    at = at.callee.object;
    names.push(lastName(run, at));
  }
  return names;
}

/** Every name in an expression, to a small depth. */
export function namesIn(run: Run, node: Expression, into: string[] = [], depth = 5): string[] {
  if (depth === 0 || into.length > 40) return into;
  const inner = (each: Expression | null) => {
    if (each !== null) namesIn(run, each, into, depth - 1);
  };
  switch (node.kind) {
    case "variable":
    case "global":
      into.push(lastName(run, node));
      break;
    case "constant":
      if (typeof node.value === "string" && node.value.length <= 60) into.push(node.value);
      break;
    case "member":
      if (node.name !== null) into.push(node.name);
      inner(node.object);
      break;
    case "call":
      inner(node.callee);
      for (const { value } of node.arguments) inner(value);
      break;
    case "concat":
      node.parts.forEach(inner);
      break;
    case "await":
      inner(node.value);
      break;
    case "logic":
      inner(node.left);
      inner(node.right);
      break;
  }
  return into;
}
