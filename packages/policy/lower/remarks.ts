import type { FidelityRow, HostFacts } from "@plastron/contracts";
import { floorRules } from "../rules/floor.ts";
import type { NamedRule, Resolvable } from "../rules/resolve.ts";
import { IGNORED, ignoredRow, type Refusal } from "../unsupported.ts";
import { NO_RECORDS } from "./claims.ts";
import { canWatch } from "./part.ts";
import { isLifted } from "./parts.ts";
import type { Standing } from "./standing.ts";

export interface Remarkable {
  policy: Resolvable;
  /** Fields that the policy's mode does not read. */
  idle: readonly Refusal[];
  named: readonly NamedRule[];
  standing: Standing;
}

/** What the policy asks for besides rules, and what has no effect. */
export function remarks({ policy, idle, named, standing }: Remarkable, host: HostFacts): FidelityRow[] {
  const { mode, enhanceProtect } = policy.spec.policy;
  return [
    ...named.flatMap((each) => (each.kind === "ignored" ? [row(each.name, each.path, IGNORED, each.why)] : [])),
    ...idle.map(ignoredRow),
    ...floorRules.filter((rule) => isLifted(rule, standing)).map(({ name }) => row(name, "spec.policy.mode", "none: lifted", LIFTED)),
    ...(enhanceProtect?.auditViolations ? [recording(host)] : []),
    ...(mode === "BehaviorModeling" ? [learning(policy, host)] : []),
    ...(enhanceProtect?.privileged || mode === "AlwaysAllow" ? [permission(policy, standing)] : []),
    ...targets(policy),
  ];
}

const NOT_LEARNING =
  "the program runs under the floor, and nothing is learned from it here. `plastron policy advise --workload` makes a policy from what a program does";
const LIFTED = "the operator lets policies lift this part of the floor, and this one does. Without permissive policies it would hold";

function row(rule: string, category: string, mechanism: string, note: string): FidelityRow {
  return { rule, category, fidelity: "unsupported", mechanism, note, self_tests: [] };
}

/** The floor holds, and what runs do is taken into the policy's behaviour profile while its duration lasts. */
function learning({ spec: { policy } }: Resolvable, host: HostFacts): FidelityRow {
  if (!host.sensor) return row("BehaviorModeling", "spec.policy.mode", "the floor alone", NOT_LEARNING);
  const { duration } = policy.modelingOptions ?? {};
  const until = duration === undefined ? "for as long as the policy stays in this mode" : `for ${duration} minutes from the first run on`;
  const note = `nothing but the floor is denied; what is learned is in GET /v1/policies/NAME/behavior`;
  return {
    rule: "BehaviorModeling",
    category: "spec.policy.mode",
    fidelity: "exact",
    mechanism: `the sensor sees what each run does, ${until}, and it is taken into the policy's behaviour profile`,
    note,
    self_tests: [],
    observes: true,
  };
}

function recording(host: HostFacts): FidelityRow {
  const named = { rule: "auditViolations", category: "spec.policy.enhanceProtect.auditViolations", self_tests: [] };
  if (!canWatch(host)) return { ...named, fidelity: "unsupported", mechanism: "none", note: `violations are denied and not recorded: ${NO_RECORDS}` };
  const mechanism = "a listener of the filter decides and records what a rule names; programs of the control group record addresses";
  const note = "denials by seccomp are recorded too, which upstream cannot; rules on sendmsg, close and write deny in silence";
  return { ...named, fidelity: "stricter", mechanism, note, observes: true };
}

function permission({ spec: { policy } }: Resolvable, { lifted }: Standing): FidelityRow {
  const privileged = policy.mode !== "AlwaysAllow";
  const [rule, category] = privileged ? ["privileged", "spec.policy.enhanceProtect.privileged"] : ["AlwaysAllow", "spec.policy.mode"];
  const named = { rule, category, self_tests: [] };
  if (lifted.length === 0) {
    const note = "the platform's floor holds for this policy as for every other, unless the operator runs Plastron with permissive policies";
    return { ...named, fidelity: "unsupported", mechanism: "the floor", note };
  }
  const kept = privileged ? "all capabilities that no rule takes away" : "the capabilities that container runtimes leave";
  const mechanism = `${kept}, inside a user namespace of the sandbox's own and over namespaces that belong to it`;
  return {
    ...named,
    fidelity: "approximate",
    mechanism,
    note: "never a capability over the host, its devices or its kernel; the hard part of the floor holds",
    observes: true,
  };
}

/** AppArmor child profiles have no like here. */
function targets({ spec: { policy } }: Resolvable): FidelityRow[] {
  return (policy.enhanceProtect?.attackProtectionRules ?? []).flatMap(({ targets: programs = [] }, i) => {
    const category = `spec.policy.enhanceProtect.attackProtectionRules[${i}].targets`;
    const note = "the rules of this entry hold for every program of the sandbox, not for these alone; only AppArmor tells programs apart";
    return programs.length > 0 ? [row(`attackProtectionRules[${i}].targets`, category, "none: rules hold for all programs", note)] : [];
  });
}
