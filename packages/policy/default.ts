import type { HostFacts } from "@plastron/contracts";
import { type Compiled, compilePolicy } from "./compile.ts";
import type { PolicyDocument } from "./parse/schema.ts";

/**
 * The policy where none is named; `policies/default.yaml` is the same as text. Everything that no honest program misses is
 * taken away. What a code interpreter needs stays: writable mounts are not noexec, chmod and the usual tools run.
 */
export const defaultPolicy: PolicyDocument = {
  apiVersion: "crd.varmor.org/v1beta1",
  kind: "VarmorClusterPolicy",
  metadata: { name: "default" },
  spec: {
    target: { kind: "Pod", selector: { matchLabels: {} } },
    policy: {
      enforcer: "BPFSeccomp",
      mode: "EnhanceProtect",
      enhanceProtect: {
        hardeningRules: [
          "disallow-mount",
          "disallow-umount",
          "disallow-insmod",
          "disallow-access-kallsyms",
          "disallow-write-core-pattern",
          "disallow-debug-disk-device",
          "disallow-access-procfs-root",
          "disable-cap-all",
          "disallow-abuse-user-ns",
          "disallow-create-user-ns",
          "disallow-load-all-bpf-prog",
          "disallow-load-bpf-via-setsockopt",
          "disallow-userfaultfd-creation",
        ],
        attackProtectionRules: [
          {
            rules: [
              "mitigate-sa-leak",
              "mitigate-disk-device-number-leak",
              "mitigate-overlayfs-leak",
              "mitigate-host-ip-leak",
              "block-access-to-metadata-service",
              "block-access-to-container-runtime",
              "disable-write-etc",
              "disable-access-shadow",
              "disable-chmod-s-bit",
            ],
          },
        ],
        vulMitigationRules: ["cgroups-lxcfs-escape-mitigation", "runc-override-mitigation", "copy-fail-mitigation"],
      },
    },
  },
};

/** The default policy, compiled for this host. */
export function compileDefault(host: HostFacts): Compiled {
  return compilePolicy(defaultPolicy, host);
}
