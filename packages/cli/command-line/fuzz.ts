import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { ARTIFACT, type Done, FUZZ_SECONDS, JSON_FLAG, positive } from "./options.ts";

export function fuzzCommands(program: Command, terminal: Terminal, done: Done): void {
  const fuzz = program
    .command("fuzz")
    .summary("Call functions and tools of an artifact with hostile input, in sandboxes")
    .description(
      "Find inputs that crash, hang, slow down or subvert what an artifact exports. What is found is replayed in a fresh sandbox before it counts, made small, and kept under .plastron/fuzz. Exit 0: nothing; 1: findings; 2: something could not be fuzzed.",
    )
    .argument("<what>", ARTIFACT)
    .option("--seconds <n>", FUZZ_SECONDS, positive)
    .option("--seed <n>", "equal seeds give equal searches (default: 1)", positive)
    .option("--harness <name>", "only those whose name holds this: `parse.js:parse`, `tool search`")
    .option("--no-keep", "write no cases")
    .option(...JSON_FLAG)
    .action(async (what, options) => done(await (await import("../commands/fuzz.ts")).fuzzCommand(what, options, terminal)));
  fuzz
    .command("replay")
    .summary("Try the kept cases again")
    .description("Try every case under .plastron/fuzz against the code as it is now. Exit 0: none fails any more; 1: some do; 2: some could not be tried.")
    .argument("<path>", "a directory")
    .option(...JSON_FLAG)
    .action(async (path, options) => done(await (await import("../commands/fuzz.ts")).replayCommand(path, options, terminal)));
}
