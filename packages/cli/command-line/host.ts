import type { Command } from "commander";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { VERSION } from "../version.ts";
import { type Done, JSON_FLAG } from "./options.ts";

export function hostCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command("doctor")
    .summary("Say what this machine can enforce, and what it lacks")
    .description("Try each control of this machine and say what works, what is missing and how to get it. Exit 0 when it can run something.")
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/doctor.ts")).doctor(options, terminal)));
  program
    .command("demo")
    .summary("Replay real attacks, without and with the policy")
    .description("Replay real attacks, first under a deliberately weak confinement, then under the policy.")
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/demo.ts")).demo(options, terminal)));
  program
    .command("version")
    .summary("Print the versions")
    .option(...JSON_FLAG)
    .action((options: { json?: boolean }) => {
      const versions = { plastron: VERSION, node: process.version };
      if (options.json) json(terminal, versions);
      else line(terminal.out, `plastron ${VERSION}, Node ${process.version}`);
      done(0);
    });
}
