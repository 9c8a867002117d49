import type { Intent, Order } from "../orders/order.ts";
import type { Notes } from "./notes.ts";
import { qualified } from "./qualifiers.ts";

export type PtracePermission = Extract<Intent, { kind: "ptrace" }>["permissions"][number];
export const PTRACE: readonly PtracePermission[] = ["trace", "read", "traceby", "readby"];

/** bpfRawRules.ptrace. `path` is where it stands. */
export function ptraceOrders(
  rule: { qualifiers?: string[] | undefined; permissions: string[]; strictMode?: boolean | undefined },
  path: string,
  notes: Notes,
): Order[] {
  const kind = qualified(rule.qualifiers, path, ["deny", "audit"], notes);
  const permissions = [...new Set(rule.permissions.flatMap((word, i) => permission(word, `${path}.permissions[${i}]`, notes)))];
  if (rule.permissions.length === 0) notes.ignored(`${path}.permissions`, "is empty, so the rule does nothing");
  if (!kind || permissions.length === 0) return [];
  const intents: Intent[] = [{ kind: "ptrace", permissions, strict: rule.strictMode ?? false }];
  return [{ rule: "bpfRawRules.ptrace", path, enforcer: "BPF", deny: kind.deny, audit: kind.audit, intents }];
}

function permission(given: string, path: string, notes: Notes): readonly PtracePermission[] {
  const word = given.toLowerCase();
  if (word === "all" || word === "*") return PTRACE;
  const known = PTRACE.filter((each) => each === word);
  if (known.length === 0)
    notes.ignored(path, `unknown permission ${JSON.stringify(given)}; there are all, ${PTRACE.join(", ")}${notes.meant(word, ["all", ...PTRACE])}`);
  return known;
}
