import type { Hooks, HostFacts } from "@plastron/contracts";
import { assembleHooks, type HookRules } from "../hooks/hooks.ts";
import type { Intent } from "../orders/order.ts";
import { isRaw, type Part } from "./part.ts";
import type { RuleTable } from "./rule-table.ts";

/**
 * Programs on the sandbox's control group, where rules need them: raw rules on addresses, built-in ones that are recorded, and every
 * sandbox with a way out. Without a network the built-in rules on addresses hold by themselves, and a sandbox costs nothing more.
 * Where they are there at all, they look at low ports and devices too. `only`: what a run asked to reach, and nothing else is.
 */
export function hooksOf(parts: readonly Ordered[], table: RuleTable, host: HostFacts, network: boolean, only?: HookRules["only"]): Hooks | null {
  const active = parts.filter(({ order }) => order.deny || order.audit);
  const addressed = active.filter(({ order }) => order.intents.some(({ kind }) => kind === "connect"));
  const needed = only !== undefined || addressed.some(({ order }) => network || order.audit || isRaw(order));
  if (!host.hooks || host.driver !== "local" || !needed) return null;
  const rules: HookRules = {
    connects: each(active, "connect", ({ order }, { cidr, ports, unspecified }) => ({ ...outcome(order, table, order.audit), cidr, ports, unspecified })),
    // Kinds of sockets are the filter's. The launcher, which lives in the group from its start, needs a socket to raise loopback.
    sockets: [],
    binds: each(active, "capability", ({ order }, { names }) =>
      names.includes("net_bind_service") ? { ...outcome(order, table, order.audit, "net_bind_service"), ports: [[1, 1023] as const] } : null,
    ),
    devices: active.some(({ order }) => order.deny && order.rule === "disallow-debug-disk-device"),
    only,
  };
  return assembleHooks(rules);
}

type Ordered = Pick<Part, "order">;
type Of<Kind extends Intent["kind"]> = Extract<Intent, { kind: Kind }>;

function each<Kind extends Intent["kind"], Rule>(parts: readonly Ordered[], kind: Kind, ruleOf: (part: Ordered, intent: Of<Kind>) => Rule | null): Rule[] {
  return parts.flatMap((part) =>
    part.order.intents.flatMap((intent) => {
      const rule = intent.kind === kind ? ruleOf(part, intent as Of<Kind>) : null;
      return rule === null ? [] : [rule];
    }),
  );
}

function outcome(order: Part["order"], table: RuleTable, report: boolean, capability?: string): { rule: number; deny: boolean; report: boolean } {
  const named = capability === undefined ? { operation: "network" as const, subject: "" } : { operation: "capability" as const, subject: capability };
  return { rule: order.deny || report ? table.of(order, named) : 0, deny: order.deny, report };
}
