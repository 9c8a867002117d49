import type { WatchedRule } from "@plastron/contracts";
import type { Intent, Order } from "../orders/order.ts";

type Named = Pick<WatchedRule, "operation" | "subject">;

/** The rules that a confinement can record, each once, in the order in which they are first needed. */
export class RuleTable {
  readonly rules: WatchedRule[] = [];
  readonly #places = new Map<string, number>();

  /** The index of that rule in `rules`. */
  add(rule: WatchedRule): number {
    const key = `${rule.id}\n${rule.path}\n${rule.enforcer}\n${rule.operation}\n${rule.subject}`;
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    this.#places.set(key, this.rules.length);
    return this.rules.push(rule) - 1;
  }

  of(order: Order, named: Named): number {
    return this.add({ id: order.rule, path: order.path, enforcer: order.enforcer, ...named });
  }
}

/** What a record of a rule with that intent is about, in upstream's words. */
export function operationOf(intent: Intent): Named {
  switch (intent.kind) {
    case "file":
    case "file-list":
      return { operation: intent.permissions.every((each) => each === "exec") ? "bprm" : "file", subject: "" };
    case "capability":
      return { operation: "capability", subject: intent.names[0] ?? "" };
    case "socket":
    case "connect":
      return { operation: "network", subject: "" };
    case "mount":
      return { operation: "mount", subject: "" };
    case "ptrace":
      return { operation: "ptrace", subject: "" };
    case "syscall":
      return { operation: "syscall", subject: "" };
  }
}
