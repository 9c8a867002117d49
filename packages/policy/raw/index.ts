import type { FidelityRow, HostFacts } from "@plastron/contracts";
import type { Order } from "../orders/order.ts";
import type { EnhanceProtect } from "../parse/schema.ts";
import { findRule } from "../rules/registry.ts";
import type { Resolvable } from "../rules/resolve.ts";
import { appArmorOrders } from "./apparmor/index.ts";
import { profileOrders } from "./apparmor/profile.ts";
import { egressOrders } from "./egress.ts";
import { ENFORCERS, namesEnforcer, unknownParts } from "./enforcers.ts";
import { fileOrders, firstOf } from "./files.ts";
import { mountOrders } from "./mounts.ts";
import { Notes } from "./notes.ts";
import { readProxy } from "./proxy.ts";
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
 * Every raw rule of the policy as orders, and a row for each that has none: bpfRawRules, syscallRawRules and appArmorRawRules of
 * EnhanceProtect, the custom AppArmor profile of DefenseInDepth. Rows of proxy rules without effect are here too (networkRules).
 * Throws PlastronError invalid_policy with all that is wrong, each with its line and the nearest valid word.
 */
export function rawOrders(policy: Resolvable, host: Pick<HostFacts, "cluster">): RawOrders {
  const notes = new Notes(policy);
  const { mode, enforcer, enhanceProtect } = policy.spec.policy;
  for (const part of unknownParts(enforcer)) {
    notes.ignored("spec.policy.enforcer", `${JSON.stringify(part)} is none of ${ENFORCERS.join(", ")}${notes.meant(part, ENFORCERS)}`);
  }
  const orders = mode === "DefenseInDepth" ? inDepth(policy, notes) : enhanceProtect ? enhanced(enhanceProtect, host, notes) : [];
  readProxy(policy, () => 0, notes);
  notes.finish();
  return { orders, rows: notes.rows };
}

function enhanced(enhanceProtect: EnhanceProtect, host: Pick<HostFacts, "cluster">, notes: Notes): Order[] {
  const { bpfRawRules = {}, syscallRawRules = [], appArmorRawRules = [], privileged = false, auditViolations: audit = false } = enhanceProtect;
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
    ...appArmorOrders(appArmorRawRules, `${BASE}.appArmorRawRules`, notes),
  ];
}

function inDepth({ spec: { policy } }: Resolvable, notes: Notes): Order[] {
  const path = "spec.policy.defenseInDepth.appArmor";
  const { appArmor, allowViolations = false } = policy.defenseInDepth ?? {};
  if (!namesEnforcer(policy.enforcer, "AppArmor")) {
    if (appArmor) notes.ignored(path, `has no effect, since the enforcer ${JSON.stringify(policy.enforcer)} does not name AppArmor`);
    return [];
  }
  if (!appArmor) notes.wrong(path, "is missing: the enforcer names AppArmor");
  else if (appArmor.profileType === "BehaviorModel") {
    notes.row(
      `${path}.profileType`,
      "BehaviorModel needs a recorded behaviour of this workload, and none is given: a Custom profile would be enforced in part",
    );
  } else if (!appArmor.customProfile) notes.wrong(`${path}.customProfile`, "is missing: profileType Custom needs one");
  else return profileOrders({ customProfile: appArmor.customProfile, added: appArmor.appArmorRawRules ?? [], allowViolations }, path, notes);
  return [];
}

/** Built-in rules that the policy names, whatever is wrong with others: that is said elsewhere (rules/resolve.ts). */
function namedRules({ hardeningRules = [], attackProtectionRules = [], vulMitigationRules = [] }: EnhanceProtect): string[] {
  const given = [...hardeningRules, ...attackProtectionRules.flatMap(({ rules }) => rules), ...vulMitigationRules];
  return given.map((name) => findRule(name)?.name).filter((name) => name !== undefined);
}
