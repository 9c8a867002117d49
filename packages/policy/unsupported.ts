import type { FidelityRow } from "@plastron/contracts";
import type { Resolvable } from "./rules/resolve.ts";

export interface Refusal {
  path: string;
  message: string;
}

/** Mechanism of the rows that a policy has for what upstream passes over in silence, where it is read as upstream reads it. */
export const IGNORED = "none: ignored as upstream ignores it";

/** The one mode that nothing carries out: refused by name, since what it would run without is not for a policy to leave out. */
export function unsupportedFields({ spec: { policy } }: Resolvable): Refusal[] {
  const { mode, enhanceProtect, defenseInDepth } = policy;
  return [
    ...refuse(
      mode === "BehaviorModeling",
      "spec.policy.mode",
      "mode BehaviorModeling is not implemented; EnhanceProtect, DefenseInDepth, RuntimeDefault and AlwaysAllow are. `plastron policy advise` learns from a behaviour",
    ),
    ...refuse(mode === "EnhanceProtect" && enhanceProtect === undefined, "spec.policy.mode", "mode EnhanceProtect needs enhanceProtect with its rules"),
    ...refuse(mode === "DefenseInDepth" && defenseInDepth === undefined, "spec.policy.mode", "mode DefenseInDepth needs defenseInDepth with its profiles"),
  ];
}

/** Fields that another mode would read. Upstream passes over them in silence; nobody means that. */
export function idleFields({ spec: { policy } }: Resolvable): Refusal[] {
  const { mode } = policy;
  const idle = (field: "enhanceProtect" | "defenseInDepth" | "modelingOptions", reads: string): Refusal[] =>
    refuse(policy[field] !== undefined && mode !== reads, `spec.policy.${field}`, `${field} has no effect in mode ${mode}: set mode: ${reads}`);
  return [...idle("enhanceProtect", "EnhanceProtect"), ...idle("defenseInDepth", "DefenseInDepth"), ...idle("modelingOptions", "BehaviorModeling")];
}

/** For a policy that is read as upstream reads it: what has no effect, as rows. */
export function ignoredRow({ path, message }: Refusal): FidelityRow {
  const rule = path.replace("spec.policy.", "");
  return { rule, category: path, fidelity: "unsupported", mechanism: IGNORED, note: message, self_tests: [] };
}

function refuse(wrong: boolean, path: string, message: string): Refusal[] {
  return wrong ? [{ path, message }] : [];
}
