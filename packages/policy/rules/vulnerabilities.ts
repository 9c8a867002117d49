import { sockets as anySocket, files } from "../orders/intents.ts";
import { AF_ALG } from "../seccomp/constants.ts";
import { deny, eq } from "../seccomp/profile.ts";
import { clusterRule } from "./leaks.ts";
import { splicing } from "./probes-kernel.ts";
import { controlGroups, outerPrograms, sockets } from "./probes-world.ts";
import { type EnforcedRule, rulesOf } from "./rule.ts";

/** What frees devices for a control group or moves a process out of one, wherever such a file system is mounted. */
const CGROUP_SWITCHES = [
  "release_agent",
  "devices/devices.allow",
  "devices/**/devices.allow",
  "devices/cgroup.procs",
  "devices/**/cgroup.procs",
  "devices/tasks",
  "devices/**/tasks",
].map((name) => `/**/${name}`);

/** Rules of `vulMitigationRules`. */
export const vulnerabilityRules: EnforcedRule[] = rulesOf("vulMitigationRules", [
  {
    name: "cgroups-lxcfs-escape-mitigation",
    intents: files(["write", "append"], ...CGROUP_SWITCHES),
    mechanism: "no control group or lxcfs file system is mounted, and none can be",
    fidelity: "by-construction",
    selfTests: [controlGroups],
  },
  {
    name: "runc-override-mitigation",
    intents: files(["write", "append"], "/**/runc"),
    mechanism: "no container runtime's program is visible in the sandbox, the root is read-only, and no outside process has an entry in /proc",
    fidelity: "by-construction",
    selfTests: [outerPrograms],
  },
  {
    name: "dirty-pipe-mitigation",
    intents: [{ kind: "syscall", entries: [deny("splice")] }],
    demands: { denials: [deny("splice")] },
    needs: "filter",
    mechanism: "seccomp refuses splice",
    fidelity: "exact",
    selfTests: [splicing],
  },
  {
    name: "copy-fail-mitigation",
    intents: [anySocket({ families: [AF_ALG] })],
    demands: { denials: [deny("socket socketpair", eq(0, AF_ALG))] },
    needs: "filter",
    mechanism: "seccomp refuses the socket family AF_ALG",
    fidelity: "exact",
    selfTests: [sockets("open-alg-socket", [`(${AF_ALG}, socket.SOCK_SEQPACKET, 0)`], "(socket.AF_INET, socket.SOCK_STREAM, 0)")],
    observedBy: [], // a kernel without AF_ALG answers that it has none
  },
  clusterRule(
    "ingress-nightmare-mitigation",
    ["ingress-nginx", "kube-system"].map((namespace) => ({ namespace, name: "ingress-nginx-controller-admission" })),
  ),
]);
