import type { PolicyDocument } from "../parse/schema.ts";
import { findRule } from "../rules/registry.ts";

/** A policy with these rules, each in its own list. */
export function policyOf(names: readonly string[], more: Partial<NonNullable<PolicyDocument["spec"]["policy"]["enhanceProtect"]>> = {}): PolicyDocument {
  const of = (category: string) => names.filter((name) => findRule(name)?.category === category);
  return {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "VarmorPolicy",
    metadata: { name: "tried" },
    spec: {
      target: { kind: "Pod", name: "tried" },
      policy: {
        enforcer: "BPFSeccomp",
        mode: "EnhanceProtect",
        enhanceProtect: {
          hardeningRules: of("hardeningRules"),
          attackProtectionRules: [{ rules: of("attackProtectionRules") }],
          vulMitigationRules: of("vulMitigationRules"),
          ...more,
        },
      },
    },
  };
}
