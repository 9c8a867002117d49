import type { FidelityRow, HostFacts } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import type { EnhanceProtect } from "../parse/schema.ts";
import { findRule } from "../rules/registry.ts";
import type { Resolvable } from "../rules/resolve.ts";
import { egressOrders } from "./egress.ts";
import { fileOrders, firstOf } from "./files.ts";
import { mountOrders } from "./mounts.ts";
import { Notes } from "./notes.ts";
import { ptraceOrders } from "./ptrace.ts";
import { socketOrders } from "./sockets.ts";
import { builtInSyscalls } from "./syscall-merge.ts";
import { syscallOrders } from "./syscalls.ts";

export { defenseProfile } from "./defense-in-depth.ts";
export { networkRules } from "./proxy.ts";

export interface RawOrders {
  orders: Order[];
  /** What no order stands for: a rule without effect, or one that nothing here can enforce. */
  rows: FidelityRow[];
}

const BASE = "spec.policy.enhanceProtect";

/**
 * Every raw rule of the policy as orders, and a row for each that has none. Throws PlastronError invalid_policy with all that is
 * wrong, each with its line and the nearest valid word.
 */
export function rawOrders(policy: Resolvable, host: Pick<HostFacts, "cluster">): RawOrders {
  const notes = new Notes(policy);
  const orders = enhanced(policy, host, notes);
  notes.finish();
  return { orders, rows: notes.rows };
}

function enhanced(policy: Resolvable, host: Pick<HostFacts, "cluster">, notes: Notes): Order[] {
  const { enhanceProtect } = policy.spec.policy;
  if (!enhanceProtect) return [];
  const { bpfRawRules = {}, syscallRawRules = [], privileged = false, auditViolations: audit = false } = enhanceProtect;
  const { files = [], processes = [], network = {}, ptrace, mounts = [] } = bpfRawRules;
  const base = `${BASE}.bpfRawRules`;
  const builtIn = builtInSyscalls(namedRules(enhanceProtect));
  const addressed = [
    ...socketOrders(network.sockets ?? [], `${base}.network.sockets`, notes),
    ...egressOrders(network.egress ?? {}, `${base}.network.egress`, host.cluster, notes),
  ];
  return [
    ...fileOrders(files, processes, base, notes),
    ...firstOf(addressed, "the network", notes),
    ...(ptrace ? ptraceOrders(ptrace, `${base}.ptrace`, notes) : []),
    ...firstOf(mountOrders(mounts, `${base}.mounts`, privileged, notes), "mounts", notes),
    ...syscallOrders(syscallRawRules, `${BASE}.syscallRawRules`, { audit, builtIn }, notes),
  ];
}

/** Built-in rules that the policy names, whatever is wrong with others: that is said elsewhere (rules/resolve.ts). */
function namedRules({ hardeningRules = [], attackProtectionRules = [], vulMitigationRules = [] }: EnhanceProtect): string[] {
  const given = [...hardeningRules, ...attackProtectionRules.flatMap(({ rules }) => rules), ...vulMitigationRules];
  return given.map((name) => findRule(name)?.name).filter((name) => name !== undefined);
}
