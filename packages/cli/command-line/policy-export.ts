import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { type Done, JSON_FLAG } from "./options.ts";

/** The names are @plastron/policy's EXPORT_KINDS, which is not loaded for a line of help. */
const KINDS = ["apparmor", "bpf-lsm", "seccomp-oci"];

export function exportCommand(policy: Command, terminal: Terminal, done: Done): void {
  policy
    .command("export")
    .description("Write a policy in a form that another enforcer loads; what that form leaves out goes to standard error.")
    .argument("<file>", "VarmorPolicy YAML, or - for standard input")
    .addOption(
      new Option("--as <form>", "an AppArmor profile, tables for plastron-lsm, or a seccomp profile for OCI runtimes").choices(KINDS).makeOptionMandatory(),
    )
    .option("--output <file>", "where to write it (bpf-lsm: needed, and FILE.json says what its rule numbers mean)")
    .option(...JSON_FLAG)
    .action(async (file, options) => done(await (await import("../commands/policy-export.ts")).exportPolicyFile(file, options, terminal)));
}
