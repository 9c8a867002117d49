import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { ALLOW_NET, collect, type Done, HOME, JSON_FLAG, positive, SECRET, tier } from "./options.ts";

export function runCommands(program: Command, terminal: Terminal, done: Done): void {
  program.commandsGroup("Programs:");
  runOptions(program.command("run").usage("[options] <file|-> [-- args...]").summary("Run a program in a fresh sandbox"), RUN_HELP)
    .option("--runtime <name>", "run in this runtime with packages (NAME or NAME@VERSION) instead of a language")
    .option("--project <name>", "run it for this project; some run nothing but artifacts that passed their gate")
    .option("--artifact <digest>", "run a file of this artifact of the server's instead of <file>, with its files as the workspace")
    .option("--entry <path>", "which file of --artifact is the program")
    .option("--policy <name>", "run under this stored policy instead of the built-in one")
    .option("--policy-file <file>", "run under this policy, which is not stored (admin keys)")
    .option("--upstream-compat", "of --policy-file: unknown rules have no effect, as vArmor itself treats them")
    .option("--min-tier <n>", "refuse to run below this isolation tier (1 to 4)", tier)
    .option("--here", "without a server: in a sandbox that this command makes itself (root), and nothing is recorded")
    .option(...ALLOW_NET)
    .option(...SECRET)
    .option(...HOME)
    .action(async (file, args, options) => done(await (await import("../commands/run.ts")).run(file, args, options, terminal)));
  const session = program.command("session").helpCommand(false).description("Open, use and close sandboxes that keep their state");
  session
    .command("open")
    .description("Open a session and print its id.")
    .option("-l, --language <name>", "python3, nodejs or bash")
    .option("--runtime <name>", "a runtime with packages (NAME or NAME@VERSION) instead of a language; it keeps that version")
    .option("--policy <name>", "stored policy")
    .option("--ttl <time>", "longest life, such as 10m")
    .option("--limit <name=value>", "as in run; repeatable", collect)
    .option("--min-tier <n>", "refuse below this tier", tier)
    .option(...ALLOW_NET)
    .option(...SECRET)
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/session.ts")).openSession(options, terminal)));
  runOptions(session.command("run").usage("[options] <session> <file|-> [-- args...]").argument("<session>", "id of the session"), "")
    .description("Run a program in an open session.")
    .option(...HOME)
    .action(async (id, file, args, options) => done(await (await import("../commands/run.ts")).runInSession(id, file, args, options, terminal)));
  session
    .command("list")
    .description("Sessions, newest first; one whose policy was changed since says so.")
    .option("--limit <n>", "how many", positive, 20)
    .option("--cursor <cursor>", "go on where a list ended")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/session.ts")).listSessions(options, terminal)));
  session
    .command("show")
    .description("One session, and whether its policy is still the current one.")
    .argument("<session>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("../commands/session.ts")).showSession(id, options, terminal)));
  session
    .command("close")
    .description("Close a session; what runs in it is ended.")
    .argument("<session>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("../commands/session.ts")).closeSession(id, options, terminal)));
}

const RUN_HELP = `
Exit code: the program's own; 128 + n if it was ended by signal n; 124 if time ran out, 137 if memory did; 130 after Ctrl-C;
1 if Plastron failed or the program was ended by another limit, 2 if the request was wrong. With --json the document's
"status" tells them apart.

Examples:
  $ plastron run hello.py
  $ cat data.csv | plastron run sum.py -- --column 3
  $ plastron run build.sh --file src.tgz --collect 'out/*.bin' --out ./result
  $ plastron run plugin.py --trace --policy strict
  $ plastron run slow.mjs --limit wall=60s --limit memory=1g --json
  $ plastron run report.py --allow-net api.github.com --allow-net 'GET https://api.example.com/v1/*' --allow-net db.example.com:5432
  $ plastron run ask.py --allow-net api.openai.com --secret OPENAI_API_KEY=openai/token@api.openai.com
`;

function runOptions(command: Command, help: string): Command {
  return command
    .description("Runs a program in a fresh sandbox; its output comes as it is written.")
    .argument("[file|-]", "the program, or - for standard input")
    .argument("[args...]", "arguments for the program, after --")
    .option("-l, --language <name>", "python3, nodejs or bash (default: by suffix, then by #! line)")
    .option(
      "--limit <name=value>",
      "memory=256m wall=10s cpus=0.5 pids=50 output=1m workspace=64m files=256 forks-per-s=2000 connections-per-s=500 denied-per-s=20000 bytes-out=none; repeatable",
      collect,
    )
    .option("-e, --env <NAME=value>", "environment variable; repeatable", collect)
    .option("-f, --file <local[:path]>", "put a local file into the workspace; repeatable", collect)
    .option("--collect <glob>", "bring these workspace files back, with --out; repeatable", collect)
    .option("--out <dir>", "where collected files go")
    .option("--overwrite", "let collected files replace existing ones")
    .option("--no-stdin", "do not pass standard input on")
    .option("--trace", "afterwards, say what it did: programs, files, network, and each denial with its rule and what would allow it")
    .option("--trace-json", "the same as one JSON document, on standard error")
    .option("-q, --quiet", "do not say what was denied")
    .option(...JSON_FLAG)
    .addHelpText("after", help);
}
