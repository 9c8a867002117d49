import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, HOME, JSON_FLAG, positive } from "./options.ts";

export function recordCommands(program: Command, terminal: Terminal, done: Done): void {
  const runs = program.command("runs").helpCommand(false).description("List, show, hold and cancel what ran");
  runs
    .command("list")
    .description("The newest runs first.")
    .option("--status <status>", "only these, such as timed_out")
    .option("--limit <n>", "how many", positive, 20)
    .option("--cursor <cursor>", "go on where a list ended")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/runs.ts")).listRuns(options, terminal)));
  runs
    .command("show")
    .description("One run, with its output, and with --trace what it did.")
    .argument("<run>")
    .option("--trace", "what it did, in its order where it was run with --trace, and why it was denied what it was")
    .option("--trace-json", "the same as one JSON document")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("../commands/runs.ts")).showRun(id, options, terminal)));
  runs
    .command("cancel")
    .description("End a run that is in progress.")
    .argument("<run>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("../commands/runs.ts")).cancelRun(id, options, terminal)));
  for (const [deed, description] of [
    ["freeze", "Hold a run that is in progress still. Its wall clock goes on."],
    ["thaw", "Let a run that is held still go on."],
  ] as const) {
    runs
      .command(deed)
      .description(description)
      .argument("<run>")
      .option(...HOME)
      .option(...JSON_FLAG)
      .action(async (id, options) => done(await (await import("../commands/runs.ts")).holdRun(id, deed, options, terminal)));
  }
  program
    .command("violations")
    .summary("List what runs did against their policies")
    .description("What runs did against their policies: of the newest run first.")
    .option("--run <run>", "of this run alone")
    .option("--session <session>", "of this session alone")
    .option("--rule <rule>", "of this rule alone, such as disable-shell; disable-cap-* for all that begin so")
    .option("--action <action>", "DENIED, AUDIT or ALLOWED")
    .option("--enforcer <name>", "BPF, Seccomp, AppArmor or NetworkProxy")
    .option("--operation <name>", "Capability, File, Bprm, Network, Ptrace, Mount or Syscall")
    .option("--policy <name>", "of runs under this policy")
    .option("--audited", "only what the policy asks a record of")
    .option("--seen", "only denials that nobody asked a record of: the sensor saw them")
    .option("--text <text>", "somewhere in the path, host, address, call or program")
    .option("--since <time>", "recorded since: a time (2026-01-31T12:00:00Z), or so long ago (10m, 7d)")
    .option("--until <time>", "recorded before")
    .option("--stack", "with each, what would allow it and who called")
    .option("--limit <n>", "how many", positive, 50)
    .option("--cursor <cursor>", "go on where a list ended")
    .option("--follow", "print what is recorded as it comes, with its reason, until Ctrl-C")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/violations.ts")).violations(options, terminal)));
  const key = program.command("key").helpCommand(false).description("Make, list and revoke API keys");
  key
    .command("create")
    .description("Make a key; it is shown this once.")
    .option("--name <name>", "what it is for", "key")
    .option("--scope <scope>", "run, read or admin; repeatable (default: run)", collect)
    .option("--project <name>", "bind it: all it runs, runs for this project")
    .option("--tenant <id>", "for another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/key.ts")).createKey(options, terminal)));
  key
    .command("list")
    .description("The keys of a tenant, without their secrets.")
    .option("--tenant <id>", "of another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/key.ts")).listKeys(options, terminal)));
  key
    .command("revoke")
    .description("End a key at once.")
    .argument("<key>", "id of the key")
    .option("--tenant <id>", "of another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("../commands/key.ts")).revokeKey(id, options, terminal)));
}
