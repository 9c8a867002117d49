import type { FidelityRow } from "@plastron/contracts";
import type { Resolvable } from "./rules/resolve.ts";

export interface Refusal {
  path: string;
  message: string;
}

/** Mechanism of the rows that a policy has for what upstream passes over in silence, where it is read as upstream reads it. */
export const IGNORED = "none: ignored as upstream ignores it";

/** A mode without what it is about. */
export function unsupportedFields({ spec: { policy } }: Resolvable): Refusal[] {
  const { mode, enhanceProtect, defenseInDepth } = policy;
  return [
    ...refuse(mode === "EnhanceProtect" && enhanceProtect === undefined, "spec.policy.mode", "mode EnhanceProtect needs enhanceProtect with its rules"),
    ...refuse(mode === "DefenseInDepth" && defenseInDepth === undefined, "spec.policy.mode", "mode DefenseInDepth needs defenseInDepth with its profiles"),
  ];
}

/** Fields that another mode would read: left there while a policy is switched off for a time. Rows say that they have no effect. */
export function idleFields({ spec: { policy } }: Resolvable): Refusal[] {
  const { mode } = policy;
  const idle = (field: "enhanceProtect" | "defenseInDepth" | "modelingOptions", reads: string): Refusal[] =>
    refuse(policy[field] !== undefined && mode !== reads, `spec.policy.${field}`, `${field} has no effect in mode ${mode}: set mode: ${reads}`);
  return [...idle("enhanceProtect", "EnhanceProtect"), ...idle("defenseInDepth", "DefenseInDepth"), ...idle("modelingOptions", "BehaviorModeling")];
}

/** What has no effect, as rows. */
export function ignoredRow({ path, message }: Refusal): FidelityRow {
  const rule = path.replace("spec.policy.", "");
  return { rule, category: path, fidelity: "unsupported", mechanism: IGNORED, note: message, self_tests: [] };
}

function refuse(wrong: boolean, path: string, message: string): Refusal[] {
  return wrong ? [{ path, message }] : [];
}
