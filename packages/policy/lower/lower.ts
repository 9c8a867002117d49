import { type Confinement, type HostFacts, type NetworkRules, NO_RULES, PlastronError, type Tier } from "@plastron/contracts";
import { base64, joined, named } from "../confine.ts";
import { assembleFilter } from "../seccomp/assemble.ts";
import { floorProfile } from "../seccomp/floor.ts";
import { intersection } from "../seccomp/intersection.ts";
import type { Profile } from "../seccomp/profile.ts";
import { watchedCalls } from "./calls.ts";
import { callEntries } from "./entries.ts";
import { hooksOf } from "./hooks.ts";
import { pathLists } from "./lists.ts";
import { networkWith } from "./network.ts";
import { canWatch, type Part } from "./part.ts";
import { brokeredCalls, pathRules } from "./paths.ts";
import type { RuleTable } from "./rule-table.ts";
import type { Standing } from "./standing.ts";

export interface Lowering {
  policy: string;
  minTier: Tier;
  parts: readonly Part[];
  standing: Standing;
  /** A seccomp profile of the policy's own: what both it and the floor allow is allowed. */
  profile: Profile | null;
  network: NetworkRules | null;
  /** What the network's rules have their places in already. */
  table: RuleTable;
}

export interface Lowered {
  confinement: Confinement;
  /** What the confinement's filter means. */
  profile: Profile;
}

/** Orders → the confinement that carries them out, over the platform's floor. */
export function lower({ policy, minTier, parts, standing, profile: own, network, table }: Lowering, host: HostFacts): Lowered {
  const demands = joined(parts.filter(({ order }) => order.deny).map((part) => ({ ...part.demands, denials: [] })));
  const entries = parts.flatMap((part) => callEntries(part, table, host));
  const paths = parts.flatMap((part) => pathRules(part, table, host));
  const lists = parts.flatMap((part) => pathLists(part, table, host));
  const floor = floorProfile([...entries, ...demands.denials], standing.lifted);
  const profile: Profile = { ...(own ? intersection(floor, own) : floor), brokered: brokeredCalls([...paths, ...lists]) };
  const orders = parts.map(({ order }) => order);
  const confinement = named({
    ...NO_RULES,
    policy,
    min_tier: minTier,
    seccomp: base64(filterOf(profile, host)),
    hidden: [...demands.hidden],
    forbidden_programs: [...demands.forbidden_programs],
    unexecutable: [...demands.unexecutable],
    noexec_writable: demands.noexec_writable,
    executables: demands.executables && [...demands.executables],
    user_namespaces: standing.lifted.includes("user-namespaces"),
    capabilities: [...standing.capabilities],
    watch: { calls: canWatch(host) ? watchedCalls(profile, host.arch) : [], paths, ...(lists.length > 0 ? { lists } : {}) },
    hooks: hooksOf(parts, table, host, network !== null),
    network: network && networkWith(network, orders, table),
    rules: table.rules,
  });
  return { confinement, profile };
}

/** How long a filter gets is not to be seen in the text of a policy: too long a one is the policy's fault all the same. */
function filterOf(profile: Profile, { arch }: HostFacts): Uint8Array {
  try {
    return assembleFilter(profile, arch);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PlastronError("invalid_policy", `the rules on system calls are too many: ${error.message}`, {
      hint: "Name several calls in one rule, and give conditions to few of them.",
      errors: [{ path: "spec.policy", message: error.message }],
    });
  }
}
