import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, HOME, JSON_FLAG } from "./options.ts";

export function advisoryCommands(program: Command, terminal: Terminal, done: Done): void {
  const advisories = program
    .command("advisories")
    .summary("Keep what is known of vulnerable and malicious packages")
    .description("What `plastron scan` holds dependencies against. Only `update` speaks to a network; a scan never does.");
  advisories
    .command("update")
    .summary("Put new advisories into use")
    .description("Reads advisories, signs them as one index and puts it into use. Where anything goes wrong, what is in use stays in use.")
    .option("--from <source>", "a file, a folder or an address: OSV's zip, GitHub's advisory database, CISA's catalogue, EPSS scores; repeatable", collect, [])
    .option("--mirror <address>", "the folder or address of another installation's index, believed for its signature")
    .option("--key <file>", "the mirror's public key, pinned from now on")
    .option("--unpin", "no longer believe a mirror: build from sources again")
    .option("--allow-smaller", "take an index with less than half of the advisories in use")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/advisories.ts")).updateCommand(options, terminal)));
  advisories
    .command("status")
    .summary("Say what is in use, and how old it is")
    .description("Exit 0: advisories are in use and not older than --max-age; 1: too old, or only the seed; 2: damaged.")
    .option("--max-age <days>", "so old they may be", "7")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/advisories.ts")).statusCommand(options, terminal)));
  advisories
    .command("verify")
    .summary("Read all of it and check that nobody changed it")
    .description("Checks the signature, the hash of every page, and that nothing newer was in use before. Exit 0: whole; 1: changed, with what.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/advisories.ts")).verifyCommand(options, terminal)));
  advisories
    .command("rematch")
    .summary("Say what new advisories mean for bills of materials that were kept")
    .description(
      "Holds CycloneDX or SPDX files against the advisories in use and those before them, and says what is new and what is gone. Exit 1 where something is new.",
    )
    .argument("<files...>", "bills of materials, or results of `plastron scan --format json`")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (files, options) => done(await (await import("../commands/advisories.ts")).rematchCommand(files, options, terminal)));
}
