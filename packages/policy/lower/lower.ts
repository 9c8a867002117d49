import { type Confinement, type HostFacts, NO_RULES, type Tier } from "@plastron/contracts";
import { base64, joined, named } from "../confine.ts";
import { assembleFilter } from "../seccomp/assemble.ts";
import { floorProfile } from "../seccomp/floor.ts";
import type { Profile } from "../seccomp/profile.ts";
import { watchedCalls } from "./calls.ts";
import { callEntries } from "./entries.ts";
import { canWatch, type Part } from "./part.ts";
import { brokeredCalls, pathRules } from "./paths.ts";
import { RuleTable } from "./rule-table.ts";
import type { Standing } from "./standing.ts";

export interface Lowering {
  policy: string;
  minTier: Tier;
  parts: readonly Part[];
  standing: Standing;
}

/** Orders → the confinement that carries them out, over the platform's floor. */
export function lower({ policy, minTier, parts, standing }: Lowering, host: HostFacts): Confinement {
  const table = new RuleTable();
  const demands = joined(parts.filter(({ order }) => order.deny).map((part) => ({ ...part.demands, denials: [] })));
  const entries = parts.flatMap((part) => callEntries(part, table, host));
  const paths = parts.flatMap((part) => pathRules(part, table, host));
  const profile: Profile = { ...floorProfile([...entries, ...demands.denials], standing.lifted), brokered: brokeredCalls(paths) };
  return named({
    ...NO_RULES,
    policy,
    min_tier: minTier,
    seccomp: base64(assembleFilter(profile, host.arch)),
    hidden: [...demands.hidden],
    forbidden_programs: [...demands.forbidden_programs],
    unexecutable: [...demands.unexecutable],
    noexec_writable: demands.noexec_writable,
    user_namespaces: standing.lifted.includes("user-namespaces"),
    capabilities: [...standing.capabilities],
    rules: table.rules,
    watch: { calls: canWatch(host) ? watchedCalls(profile, host.arch) : [], paths },
  });
}
