import type { PolicyDocument } from "@plastron/policy";
import { ruleNames } from "@plastron/policy";

type EnhanceProtect = NonNullable<PolicyDocument["spec"]["policy"]["enhanceProtect"]>;

/** Every built-in rule by each of its names, in silence. */
export const EVERY_RULE: PolicyDocument = policyOf({});

/** The same, recorded, and raw rules of each kind beside them: the most that a policy asks of the compiler. */
export const EVERYTHING: PolicyDocument = policyOf({
  auditViolations: true,
  bpfRawRules: {
    files: [
      { qualifiers: ["deny"], pattern: "/usr/share/secret/**", permissions: ["read"] },
      { qualifiers: ["deny", "audit"], pattern: "**.key", permissions: ["all"] },
    ],
    processes: [{ qualifiers: ["deny", "audit"], pattern: "*ping", permissions: ["exec"] }],
    network: {
      sockets: [{ qualifiers: ["deny"], domains: ["packet"] }],
      egress: { toDestinations: [{ qualifiers: ["deny"], cidr: "10.0.0.0/8", ports: [{ port: 6670, endPort: 6680 }] }] },
    },
    ptrace: { qualifiers: ["deny"], permissions: ["all"], strictMode: true },
  },
  syscallRawRules: [{ names: ["fchmodat"], action: "SCMP_ACT_ERRNO", args: [{ index: 2, value: 64, valueTwo: 64, op: "SCMP_CMP_MASKED_EQ" }] }],
  appArmorRawRules: [{ rules: "audit deny /etc/shadow r,\ndeny capability net_raw," }],
  networkProxyRawRules: { egress: { defaultAction: "deny", rules: [{ qualifiers: ["allow"], cidr: "10.1.0.0/16", ports: [{ port: 443 }] }] } },
});

function policyOf(more: EnhanceProtect): PolicyDocument {
  return {
    apiVersion: "crd.varmor.org/v1beta1",
    kind: "VarmorPolicy",
    metadata: { name: "every-rule" },
    spec: {
      target: { kind: "Pod", name: "any" },
      policy: {
        enforcer: "AppArmorBPFSeccompNetworkProxy",
        mode: "EnhanceProtect",
        enhanceProtect: {
          hardeningRules: ruleNames("hardeningRules"),
          attackProtectionRules: [{ rules: ruleNames("attackProtectionRules") }],
          vulMitigationRules: ruleNames("vulMitigationRules"),
          ...more,
        },
      },
    },
  };
}
