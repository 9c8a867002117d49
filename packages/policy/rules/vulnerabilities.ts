import { AF_ALG } from "../seccomp/constants.ts";
import { deny, eq } from "../seccomp/profile.ts";
import { noNetwork } from "./leaks.ts";
import { splicing } from "./probes-kernel.ts";
import { controlGroups, outerPrograms, reaching, sockets } from "./probes-world.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

/** Rules of `vulMitigationRules`. */
export const vulnerabilityRules: EnforcedRule[] = rulesOf("vulMitigationRules", [
  {
    name: "cgroups-lxcfs-escape-mitigation",
    mechanism: "no control group or lxcfs file system is mounted, and none can be",
    fidelity: "by-construction",
    selfTests: [controlGroups],
  },
  {
    name: "runc-override-mitigation",
    mechanism: "no container runtime's program is visible in the sandbox, the root is read-only, and no outside process has an entry in /proc",
    fidelity: "by-construction",
    selfTests: [outerPrograms],
  },
  {
    name: "dirty-pipe-mitigation",
    demands: { denials: [deny("splice")] },
    needs: "filter",
    mechanism: "seccomp refuses splice",
    fidelity: "exact",
    selfTests: [splicing],
  },
  {
    name: "copy-fail-mitigation",
    demands: { denials: [deny("socket socketpair", eq(0, AF_ALG))] },
    needs: "filter",
    mechanism: "seccomp refuses the socket family AF_ALG",
    fidelity: "exact",
    selfTests: [sockets("open-alg-socket", [`(${AF_ALG}, socket.SOCK_SEQPACKET, 0)`], "(socket.AF_INET, socket.SOCK_STREAM, 0)")],
  },
  // Without a network the address of the admission webhook does not matter; 10.96.0.10 stands for a cluster's address.
  { name: "ingress-nightmare-mitigation", ...noNetwork, selfTests: [reaching("ingress-nightmare-mitigation", ["10.96.0.10"])] },
]);
