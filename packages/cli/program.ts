import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { toReport } from "./failure.ts";
import { json, line, openTerminal, type Terminal } from "./terminal/terminal.ts";
import { VERSION } from "./version.ts";

/**
 * Parses the arguments, runs the command and returns the exit code: 0 good, 1 failed, 2 wrong use or input; `run` gives the
 * program's own. Commands are loaded when called, so that none pays for another.
 */
export async function runCommandLine(args: string[], terminal: Terminal = openTerminal()): Promise<number> {
  let exit = 0;
  const program = define(terminal, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return commanderExit(error, terminal);
    return await fail(error, args.includes("--json"), terminal);
  }
}

/** The one shape of every error: what, why, hint and code on one line of stderr; with --json also a document on stdout. */
async function fail(error: unknown, asJson: boolean, terminal: Terminal): Promise<number> {
  const report = await toReport(error);
  const paint = terminal.paintErr;
  if (asJson) json(terminal, { error: { ...report, exit: undefined } });
  line(
    terminal.err,
    `${paint("red", "error")} ${report.title}: ${report.detail}. ${paint("dim", report.hint)} ${paint("dim", `[${report.code}]`)}`.replace(/([.!?])\. /, "$1 "),
  );
  for (const { path, message, line: at, column } of report.errors ?? []) {
    line(terminal.err, `  ${at === undefined ? "" : `${at}:${column ?? 1} `}${path ? `${path}: ` : ""}${message}`);
  }
  if (process.env.PLASTRON_DEBUG && error instanceof Error) line(terminal.err, error.stack);
  return report.exit;
}

function commanderExit(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return 0;
  if (error.code === "commander.help") return 2;
  const why = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  line(terminal.err, `${terminal.paintErr("red", "error")} ${why}. ${terminal.paintErr("dim", "Add --help to see what is possible. [invalid_request]")}`);
  return 2;
}

type Done = (code: number) => void;

function define(terminal: Terminal, done: Done): Command {
  const program = new Command("plastron")
    .description("Runs untrusted code in single-use sandboxes, under a policy, and proves it.")
    .version(VERSION, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: () => {},
      outputError: () => {},
      getOutHelpWidth: () => Math.min(terminal.columns, 110),
    })
    .configureHelp({
      sortSubcommands: false,
      subcommandTerm: (command) => `${command.name()} ${command.usage()}`.replace("[options] ", "").replace("[options]", "").trim(),
    })
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .addHelpText("after", EXAMPLES);
  program.action(() => {
    program.outputHelp();
    done(2);
  });
  for (const group of [lifecycleCommands, runCommands, recordCommands, policyCommands, hostCommands]) group(program, terminal, done);
  return program;
}

const EXAMPLES = `
  test [...]                              the checks of this checkout (handled by the launcher)
  bench [...]                             its benchmarks (handled by the launcher)

Examples:
  $ plastron up --detach                  start everything, return when it answers
  $ echo 'print(6 * 7)' | plastron run - --language python3
  $ plastron run crawl.js --policy dify-sandbox --limit memory=256m --limit wall=10s
  $ plastron doctor                       what this machine can enforce, and what it lacks
  $ plastron demo                         two CVEs and fifteen tricks, without and with the policy

Environment: PLASTRON_HOME, PLASTRON_PORT, PLASTRON_ADMIN_KEY (up); PLASTRON_URL, PLASTRON_API_KEY (all that speak to a server);
NO_COLOR. Exit codes: 0 good, 1 failed, 2 wrong use or input; \`run\` gives the program's own.
`;

const HOME: [string, string] = ["--home <dir>", "where state lives (default: PLASTRON_HOME, else .plastron beside the launcher)"];
const JSON_FLAG: [string, string] = ["--json", "print one JSON document"];

function lifecycleCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command("up")
    .summary("start the agent and the server")
    .description("Starts the sandbox agent and the server, and keeps them running. In the foreground Ctrl-C stops everything in order.")
    .option("-d, --detach", "return when everything answers; `plastron down` stops it")
    .addOption(new Option("--port <n>", "port of the API").env("PLASTRON_PORT").default(7300).argParser(port))
    .addOption(new Option("--host <address>", "address to listen on").env("PLASTRON_HOST").default("127.0.0.1"))
    .addOption(new Option("--dify-port <n>", "serve Dify's code-execution API on a port of its own too").env("PLASTRON_DIFY_PORT").argParser(port))
    .option(...HOME)
    .option(...JSON_FLAG)
    .addOption(new Option("--report-fd <n>").argParser(Number).hideHelp())
    .addHelpText(
      "after",
      "\nExamples:\n  $ plastron up\n  $ plastron up --detach --port 8300 --home /var/lib/plastron\n  $ PLASTRON_ADMIN_KEY=my-own-key plastron up -d --dify-port 8194\n",
    )
    .action(async (options) => done(await (await import("./commands/up.ts")).up(options, terminal)));
  program
    .command("down")
    .description("Stop what runs on this home: in order first, by force after eight seconds.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/down.ts")).down(options, terminal)));
  program
    .command("status")
    .description("Say whether it runs, where, and how well. Exit 0 running, 1 not.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/status.ts")).status(options, terminal)));
}

function runCommands(program: Command, terminal: Terminal, done: Done): void {
  runOptions(program.command("run").usage("[options] <file|-> [-- args...]").summary("run a program in a fresh sandbox"), RUN_HELP)
    .option("--policy <name>", "run under this stored policy instead of the built-in one")
    .option("--min-tier <n>", "refuse to run below this isolation tier (1 to 4)", tier)
    .option(...HOME)
    .action(async (file, args, options) => done(await (await import("./commands/run.ts")).run(file, args, options, terminal)));
  const session = program.command("session").description("Sandboxes that keep their interpreter's state between runs.");
  session
    .command("open")
    .description("Open a session and print its id.")
    .requiredOption("-l, --language <name>", "python3 or nodejs, or bash")
    .option("--policy <name>", "stored policy")
    .option("--ttl <time>", "longest life, such as 10m")
    .option("--limit <name=value>", "as in run; repeatable", collect, [])
    .option("--min-tier <n>", "refuse below this tier", tier)
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/session.ts")).openSession(options, terminal)));
  runOptions(session.command("run").usage("[options] <session> <file|-> [-- args...]").argument("<session>", "id of the session"), "")
    .description("Run a program in an open session.")
    .option(...HOME)
    .action(async (id, file, args, options) => done(await (await import("./commands/run.ts")).runInSession(id, file, args, options, terminal)));
  session
    .command("close")
    .description("Close a session; what runs in it is ended.")
    .argument("<session>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("./commands/session.ts")).closeSession(id, options, terminal)));
}

const RUN_HELP = `
Exit code: the program's own; 128 + n if it was ended by signal n; 124 if time ran out, 137 if memory did; 130 after Ctrl-C;
1 if Plastron failed or the program was ended by another limit, 2 if the request was wrong. With --json the document's
"status" tells them apart.

Examples:
  $ plastron run hello.py
  $ cat data.csv | plastron run sum.py -- --column 3
  $ plastron run build.sh --file src.tgz --collect 'out/*.bin' --out ./result
  $ plastron run slow.mjs --limit wall=60s --limit memory=1g --json
`;

function runOptions(command: Command, help: string): Command {
  return command
    .description("Runs a program in a fresh sandbox; its output comes as it is written.")
    .argument("<file|->", "the program, or - for standard input")
    .argument("[args...]", "arguments for the program, after --")
    .option("-l, --language <name>", "python3, nodejs or bash (default: by suffix, then by #! line)")
    .option("--limit <name=value>", "memory=256m wall=10s cpus=0.5 pids=50 output=1m workspace=64m files=256; repeatable", collect, [])
    .option("-e, --env <NAME=value>", "environment variable; repeatable", collect, [])
    .option("-f, --file <local[:path]>", "put a local file into the workspace; repeatable", collect, [])
    .option("--collect <glob>", "bring these workspace files back, with --out; repeatable", collect, [])
    .option("--out <dir>", "where collected files go")
    .option("--overwrite", "let collected files replace existing ones")
    .option("--no-stdin", "do not pass standard input on")
    .option(...JSON_FLAG)
    .addHelpText("after", help);
}

function recordCommands(program: Command, terminal: Terminal, done: Done): void {
  const runs = program.command("runs").description("What ran.");
  runs
    .command("list")
    .description("The newest runs first.")
    .option("--status <status>", "only these, such as timed_out")
    .option("--limit <n>", "how many", positive, 20)
    .option("--cursor <cursor>", "go on where a list ended")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/runs.ts")).listRuns(options, terminal)));
  runs
    .command("show")
    .description("One run, with its output.")
    .argument("<run>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("./commands/runs.ts")).showRun(id, options, terminal)));
  runs
    .command("cancel")
    .description("End a run that is in progress.")
    .argument("<run>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("./commands/runs.ts")).cancelRun(id, options, terminal)));
  const key = program.command("key").description("API keys.");
  key
    .command("create")
    .description("Make a key; it is shown this once.")
    .option("--name <name>", "what it is for", "key")
    .option("--scope <scope>", "run, read or admin; repeatable (default: run)", collect, [])
    .option("--tenant <id>", "for another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/key.ts")).createKey(options, terminal)));
  key
    .command("list")
    .description("The keys of a tenant, without their secrets.")
    .option("--tenant <id>", "of another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/key.ts")).listKeys(options, terminal)));
  key
    .command("revoke")
    .description("End a key at once.")
    .argument("<key>", "id of the key")
    .option("--tenant <id>", "of another tenant (operator)")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (id, options) => done(await (await import("./commands/key.ts")).revokeKey(id, options, terminal)));
}

function policyCommands(program: Command, terminal: Terminal, done: Done): void {
  const policy = program.command("policy").description("VarmorPolicy files: check, explain and test them here; put them on the server.");
  const local: [string, string][] = [
    ["check", "Say whether a policy is valid; each error with its line."],
    ["explain", "Say for each rule how this machine enforces it."],
    ["test", "Try each rule in real sandboxes: the forbidden must fail, the allowed must work. Exit 1 when a row fails."],
  ];
  for (const [name, description] of local) {
    policy
      .command(name)
      .description(description)
      .argument("<file>", "VarmorPolicy YAML, or - for standard input")
      .option("--upstream-compat", "unknown rules are warnings, as vArmor itself treats them")
      .option(...JSON_FLAG)
      .action(async (file, options) => {
        const commands = await import("./commands/policy-file.ts");
        const command = name === "check" ? commands.checkPolicy : name === "explain" ? commands.explainPolicy : commands.testPolicy;
        done(await command(file, options, terminal));
      });
  }
  const stored: [string, string, string][] = [
    ["put", "<name> <file>", "Store a policy under a name; runs choose it by --policy."],
    ["get", "<name>", "Print a stored policy."],
    ["list", "", "The stored policies."],
    ["delete", "<name>", "Delete a stored policy."],
  ];
  for (const [name, args, description] of stored) {
    policy
      .command(`${name} ${args}`.trim())
      .description(description)
      .option(...HOME)
      .option(...JSON_FLAG)
      .action(async (...given) => {
        const options = given.at(-2);
        const commands = await import("./commands/policy-store.ts");
        done(await commands.policyStore(name, given.slice(0, -2), options, terminal));
      });
  }
}

function hostCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command("doctor")
    .description("Try each control of this machine and say what works, what is missing and how to get it. Exit 0 when it can run something.")
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/doctor.ts")).doctor(options, terminal)));
  program
    .command("demo")
    .description("Replay real attacks, first under a deliberately weak confinement, then under the policy.")
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("./commands/demo.ts")).demo(options, terminal)));
  program
    .command("version")
    .description("Print the versions.")
    .option(...JSON_FLAG)
    .action((options: { json?: boolean }) => {
      const versions = { plastron: VERSION, node: process.version };
      if (options.json) json(terminal, versions);
      else line(terminal.out, `plastron ${VERSION}, Node ${process.version}`);
      done(0);
    });
}

const collect = (value: string, before: string[]): string[] => [...before, value];

function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return value;
}

function positive(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError("It must be a number of at least 1.");
  return Number(text);
}

function tier(text: string): number {
  if (!/^[1-4]$/.test(text)) throw new InvalidArgumentError("A tier is 1, 2, 3 or 4.");
  return Number(text);
}
