import type { Confinement, HostFacts } from "@plastron/contracts";
import { capabilityCalls } from "../lower/capability-calls.ts";
import { canWatch, type Part } from "../lower/part.ts";
import type { Standing } from "../lower/standing.ts";
import { floorProfile } from "../seccomp/floor.ts";
import type { Profile } from "../seccomp/profile.ts";
import { deniesAddress } from "./addresses.ts";
import { type Call, callOf } from "./call.ts";
import { missingCapability } from "./capabilities.ts";
import { eventOf } from "./event.ts";
import type { Cause, Explain } from "./explanation.ts";
import { filterDenies, refuses } from "./filter.ts";
import { hintOf } from "./hint.ts";
import { deniesPath, isOffList, makesProgram } from "./paths.ts";
import { platformCauses } from "./platform.ts";
import { probeWords } from "./probes.ts";

/** What a policy compiled to, as far as it tells why something was denied. */
export interface Explained {
  parts: readonly Part[];
  standing: Standing;
  confinement: Pick<Confinement, "hooks">;
  /** What the confinement's filter means. */
  profile: Profile;
  /** A filter of the policy's own (modes RuntimeDefault and DefenseInDepth), and where it stands. */
  own: { rule: string; path: string; profile: Profile } | null;
}

/**
 * From a call that was denied to the rule that denied it. A rule is named only where it denies that very call by itself: by the
 * filter and the call's registers, by what is masked, by mounts, by addresses. The policy's rules come before the platform's floor.
 * Null: nothing of the policy or the platform speaks of it, so the denial is the kernel's own (the permissions of a file).
 */
export function explainer(compiled: Explained, host: HostFacts): Explain {
  const rules = compiled.parts.filter(({ order }) => order.deny && !isFloor(order.rule));
  const floor = compiled.parts.filter(({ order }) => isFloor(order.rule));
  const byFilter = filterDenies(compiled.profile);
  const byFloor = filterDenies(floorProfile([], compiled.standing.lifted));
  const byOwn = compiled.own && filterDenies(compiled.own.profile);
  return (denial) => {
    if (denial.abi !== "native") return null; // a foreign ABI's numbers are other calls, and the filter kills for them
    const call = callOf(denial);
    const filtered = byFilter(call);
    const denying = (part: Part): boolean => (filtered ? deniesCall(part, call) : deniesThing(part, call, compiled, host));
    const causes = [
      ...rules.filter(denying).map((part) => policyCause(part, call, host)),
      ...(filtered && compiled.own && byOwn?.(call) ? [ownCause(compiled.own, call)] : []),
      ...platformCauses(call, floor, filtered && byFloor(call)),
    ];
    const [first] = causes;
    if (!first) return null;
    const { rule: rule_id, path: rule_path, enforcer, by, recorded } = first;
    const probe = by === "platform" ? probeWords(call) : null;
    return { rule_id, rule_path, enforcer, by, recorded, isProbe: probe !== null, event: eventOf(call, first), hint: probe ?? hintOf(causes) };
  };
}

const isFloor = (rule: string): boolean => rule.startsWith("floor-");

/** By the filter: the part's own refusals, those that stand for capabilities, and files that could be executed where nothing may be. */
function deniesCall({ order, demands }: Part, call: Call): boolean {
  const { denials = [], forbidden_programs: programs = [], unexecutable = [], noexec_writable: noexec = false } = demands;
  if (refuses(denials, call)) return true;
  if (makesProgram(call) && (noexec || programs.length > 0 || unexecutable.length > 0)) return true;
  return order.intents.some((intent) => intent.kind === "capability" && refuses(capabilityCalls(intent.names), call));
}

/** By all else that a sandbox is made of. */
function deniesThing(part: Part, call: Call, { confinement }: Explained, host: HostFacts): boolean {
  const capability = missingCapability(call);
  if (capability !== null) return part.order.intents.some((intent) => intent.kind === "capability" && intent.names.includes(capability));
  if (confinement.hooks !== null && deniesAddress(part.order, call)) return true;
  return part.claim.fidelity !== "unsupported" && deniesPath(part, call, canWatch(host));
}

function policyCause(part: Part, call: Call, host: HostFacts): Cause {
  const { rule, path, enforcer, audit } = part.order;
  const advice = isOffList(part.order, call) ? `allow to ${call.wanted.join(" and ")} ${call.path} in ${path}` : "";
  return { rule, path, enforcer, by: "policy", recorded: audit && canWatch(host), part, advice };
}

/** A list of what is allowed: there is no rule to be removed, but a call to be added. */
function ownCause({ rule, path, profile }: NonNullable<Explained["own"]>, { denial }: Call): Cause {
  const advice =
    rule === path.slice(path.lastIndexOf("spec.policy.") + "spec.policy.".length)
      ? `add ${denial.call} to what ${path} allows`
      : `a ${path} other than ${rule} may allow it`;
  return { rule, path, enforcer: "Seccomp", by: "policy", recorded: profile.entries.some(({ report }) => report !== undefined), part: null, advice };
}
