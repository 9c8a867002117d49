import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TYPICAL_HOST } from "../../packages/contracts/index.ts";
import { compilePolicy, type Order, parsePolicy, ruleNames } from "../../packages/policy/index.ts";
import { policyOf } from "../../packages/policy/testing/policies.ts";

/** What the operator of a cluster exports for: nothing of the platform's own floor lies over a policy that lifts it. */
const HOST = { ...TYPICAL_HOST, permissive: true };

export const ordersOf = (text: string): Order[] => compilePolicy(parsePolicy(text), HOST).orders;

export const DIFY = readFileSync(join(import.meta.dirname, "../../policies/dify-sandbox.yaml"), "utf8");

/** Every built-in rule at once, over the floor. */
export const everyRule = (): Order[] => compilePolicy(policyOf(ruleNames(), { auditViolations: true }), HOST).orders;

/** Globs that would close the quotes, end the profile, open another or name a variable, if they could. */
export const HOSTILE = [
  '"',
  '" r,\n  deny / w,\n}\nprofile injected {\n  file,\n',
  "}\nprofile injected { file, }",
  "@{PROC}",
  "@{undefined}",
  "{a,b",
  "a,b}",
  "\\",
  '\\"',
  "\\042 r,",
  "[",
  "[]",
  "[^",
  "[a]b]",
  '["]',
  "[^\n]",
  "[!-~]",
  "a b\tc",
  "\u0001\u007f",
  "ä€😀",
  "# comment",
  "#include <x>",
  "${x}",
  "a,",
  "***",
  "?".repeat(50),
];

/** Each under a directory of its own, so that what it allows or denies can be told. */
export const hostileOrders = (): Order[] =>
  HOSTILE.map((text, i) => ({
    rule: `hostile-${i}`,
    path: "spec",
    enforcer: "AppArmor",
    deny: true,
    audit: true,
    intents: [{ kind: "file", glob: `/hostile/${i}/${text}`, permissions: ["read", "write", "exec"] }],
  }));

/**
 * Rules of upstream's acceptance suite that can hold at the same time, for a privileged container. In `observe` every one lets
 * pass and records.
 */
export const acceptance = (observe: boolean): string => `
apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: {name: acceptance}
spec:
  target: {kind: Pod, name: any}
  policy:
    enforcer: AppArmorBPF
    mode: EnhanceProtect
    enhanceProtect:
      privileged: true
      auditViolations: true
      allowViolations: ${observe}
      hardeningRules:
        - disallow-write-core-pattern
        - disallow-mount-securityfs
        - disallow-mount-procfs
        - disallow-mount-cgroupfs
        - disable-cap-net-raw
      attackProtectionRules:
        - rules: [mitigate-sa-leak, disable-write-etc, disable-access-shadow, disable-wget, block-access-to-container-runtime, disable-icmp]
      vulMitigationRules: [runc-override-mitigation]
      bpfRawRules:
        processes:
          - {qualifiers: [deny, audit], pattern: "**ping", permissions: [exec]}
        ptrace: {qualifiers: [deny, audit], permissions: [trace], strictMode: true}
        network:
          egress:
            toDestinations:
              - {qualifiers: [deny, audit], ip: 11.30.31.68, ports: [{port: 6443}]}
              - {qualifiers: [deny, audit], cidr: 192.168.1.0/24}
              - {qualifiers: [deny, audit], cidr: 172.16.0.0/11}
              - {qualifiers: [deny, audit], ip: "fdbd:dc01:ff:307:9329:268d:3a27:2ca7"}
              - {qualifiers: [deny, audit], cidr: "2001:db8::/31"}
              - {qualifiers: [deny, audit], ports: [{port: 10250}]}
              - {qualifiers: [deny, audit], ip: 127.0.0.1, ports: [{port: 6670, endPort: 6680}]}
              - {qualifiers: [deny, audit], ip: 127.0.0.1, ports: [{port: 6690}, {port: 6692}, {port: 6693}]}
              - {qualifiers: [deny, audit], ip: unspecified, ports: [{port: 80, endPort: 8080}]}
`;
