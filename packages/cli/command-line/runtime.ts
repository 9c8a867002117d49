import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, HOME, JSON_FLAG, positive } from "./options.ts";

const PACKAGES: [string, string] = ["--packages <names|file>", "numpy==1.26.4,pandas, a requirements.txt or a package.json; repeatable"];
const TIMEOUT: [string, string] = ["--timeout <time>", "longest time for the installation (default: 10m)"];

export function runtimeCommands(program: Command, terminal: Terminal, done: Done): void {
  const load = () => import("../commands/runtime.ts");
  const runtime = program.command("runtime").helpCommand(false).description("Make interpreters with packages, for programs to run in");
  runtime
    .command("create")
    .description("Install packages and keep them under a name; the installer runs in a sandbox that reaches the machine's registry alone.")
    .argument("<name>")
    .requiredOption("--from <language>", "python3 or nodejs")
    .requiredOption(...PACKAGES, collect)
    .option(...TIMEOUT)
    .option(...HOME)
    .option(...JSON_FLAG)
    .addHelpText("after", EXAMPLES)
    .action(async (name, options) => done(await (await load()).createRuntime(name, options, terminal)));
  runtime
    .command("update")
    .description("Make the next version: of other packages, or of the same as the registry has them now. What runs keeps its own.")
    .argument("<name>")
    .option(...PACKAGES, collect)
    .option(...TIMEOUT)
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await load()).updateRuntime(name, options, terminal)));
  runtime
    .command("list")
    .description("Runtimes with their current versions.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await load()).listRuntimes(options, terminal)));
  runtime
    .command("show")
    .description("What a version holds, its size and lock, and the other versions.")
    .argument("<name[@version]>")
    .option("--lock", "print its lock alone")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await load()).showRuntime(name, options, terminal)));
  runtime
    .command("rollback")
    .description("Make another version the current one.")
    .argument("<name>")
    .argument("<version>", "number of the version", positive)
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, version, options) => done(await (await load()).rollBackRuntime(name, version, options, terminal)));
  runtime
    .command("delete")
    .description("Delete a runtime with all its versions; what runs goes on.")
    .argument("<name>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await load()).deleteRuntime(name, options, terminal)));
  runtime
    .command("prune")
    .description("Forget versions that are not current, and free the space of what nobody uses.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await load()).pruneRuntimes(options, terminal)));
}

const EXAMPLES = `
Examples:
  $ plastron runtime create science --from python3 --packages numpy==1.26.4,pandas
  $ plastron runtime create web --from nodejs --packages package.json
  $ plastron run --runtime science fit.py
`;
