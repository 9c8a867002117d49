import type { EnhanceProtect, PolicyDocument } from "./parse/schema.ts";

export interface Refusal {
  path: string;
  message: string;
}

/**
 * The fields and modes of a valid policy that nothing enforces yet. Each is refused by name, since leaving one out would
 * give less protection, or other behaviour, than the policy says.
 */
export function unsupportedFields(policy: PolicyDocument): Refusal[] {
  const { mode, enhanceProtect, defenseInDepth, modelingOptions, networkProxyConfig } = policy.spec.policy;
  const base = "spec.policy";
  return [
    ...refuse(
      mode === "BehaviorModeling" || mode === "DefenseInDepth",
      `${base}.mode`,
      `mode ${mode} is not implemented; EnhanceProtect, RuntimeDefault and AlwaysAllow are`,
    ),
    ...refuse(
      mode !== "EnhanceProtect" && enhanceProtect !== undefined,
      `${base}.enhanceProtect`,
      `enhanceProtect has no effect in mode ${mode}: set mode: EnhanceProtect`,
    ),
    ...refuse(mode === "EnhanceProtect" && enhanceProtect === undefined, `${base}.mode`, "mode EnhanceProtect needs enhanceProtect with its rules"),
    ...refuse(defenseInDepth !== undefined, `${base}.defenseInDepth`, "defenseInDepth is not implemented"),
    ...refuse(modelingOptions !== undefined, `${base}.modelingOptions`, "modelingOptions is not implemented"),
    ...refuse(networkProxyConfig !== undefined, `${base}.networkProxyConfig`, "networkProxyConfig is not implemented"),
    ...enhanceProtectFields(enhanceProtect ?? {}, `${base}.enhanceProtect`),
  ];
}

function enhanceProtectFields(enhanceProtect: EnhanceProtect, base: string): Refusal[] {
  const { appArmorRawRules, bpfRawRules, networkProxyRawRules, syscallRawRules, attackProtectionRules = [] } = enhanceProtect;
  return [
    ...refuse(!isEmpty(appArmorRawRules), `${base}.appArmorRawRules`, "appArmorRawRules is not implemented"),
    ...refuse(!isEmpty(bpfRawRules), `${base}.bpfRawRules`, "bpfRawRules is not implemented"),
    ...refuse(!isEmpty(networkProxyRawRules), `${base}.networkProxyRawRules`, "networkProxyRawRules is not implemented"),
    ...refuse(!isEmpty(syscallRawRules), `${base}.syscallRawRules`, "syscallRawRules is not implemented"),
    ...attackProtectionRules.flatMap(({ targets }, i) =>
      refuse(!isEmpty(targets), `${base}.attackProtectionRules[${i}].targets`, "targets is not implemented: rules hold for every program of a sandbox"),
    ),
  ];
}

function refuse(wrong: boolean, path: string, message: string): Refusal[] {
  return wrong ? [{ path, message }] : [];
}

/** Absent, or a list or object without members: asks for nothing. */
function isEmpty(value: object | undefined): boolean {
  return value === undefined || Object.keys(value).length === 0;
}
