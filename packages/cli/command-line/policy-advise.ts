import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, JSON_FLAG } from "./options.ts";

const FEATURES =
  "privileged-container, mount-sth, umount-sth, share-containers-pid-ns, share-host-pid-ns, dind, require-sa, bind-privileged-socket-port, load-bpf";

/** `plastron policy advise`. */
export function adviseCommand(policy: Command, terminal: Terminal, done: Done): void {
  policy
    .command("advise")
    .description("Propose a policy with a reason for every rule, from what a workload needs, is, and does.")
    .argument("[name]", "name of the policy", "advised")
    .option("--enforcer <names>", "AppArmor, BPF, Seccomp, NetworkProxy; several with commas", collect, [])
    .option("--capability <names>", "capabilities that the workload needs, e.g. NET_BIND_SERVICE", collect, [])
    .option("--feature <names>", `what the workload is: ${FEATURES}`, collect, [])
    .option("--profile <file>", "what it was seen to do: Plastron's behaviour profile or vArmor's ArmorProfileModel, as JSON")
    .option("--workload <file>", "let this program run while observing, then under the advised policy")
    .option("--language <name>", "language of the workload, where its name does not tell")
    .option("--file <local[:path]>", "a file for the workload; may be repeated", collect, [])
    .option("--arg <text>", "an argument for the workload; may be repeated", collect, [])
    .option("-o, --output <file>", "write the policy there")
    .option(...JSON_FLAG)
    .action(async (name, options) => {
      const enforcer = options.enforcer.length > 0 ? options.enforcer : ["BPF,Seccomp"];
      done(await (await import("../commands/policy-advise.ts")).advisePolicy({ ...options, name, enforcer }, terminal));
    });
}
