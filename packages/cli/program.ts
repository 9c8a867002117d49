import { Command, CommanderError } from "commander";
import { advisoryCommands } from "./command-line/advisories.ts";
import { exemptCommands } from "./command-line/exempt.ts";
import { fuzzCommands } from "./command-line/fuzz.ts";
import { gateCommands } from "./command-line/gate.ts";
import { hostCommands } from "./command-line/host.ts";
import { learnCommands } from "./command-line/learn.ts";
import { lifecycleCommands } from "./command-line/lifecycle.ts";
import type { Done } from "./command-line/options.ts";
import { policyCommands } from "./command-line/policy.ts";
import { recordCommands } from "./command-line/records.ts";
import { ruleCommands } from "./command-line/rules.ts";
import { runCommands } from "./command-line/runs.ts";
import { runtimeCommands } from "./command-line/runtime.ts";
import { scanCommands } from "./command-line/scan.ts";
import { toReport, usage } from "./failure.ts";
import { json, line, openTerminal, type Terminal } from "./terminal/terminal.ts";
import { printable } from "./terminal/width.ts";
import { VERSION } from "./version.ts";

/**
 * Parses the arguments, runs the command and returns the exit code: 0 good, 1 failed, 2 wrong use or input; `run` gives the
 * program's own. Commands are loaded when called, so that none pays for another.
 */
export async function runCommandLine(args: string[], terminal: Terminal = openTerminal()): Promise<number> {
  for (const [name, value] of Object.entries(process.env)) if (name.startsWith("PLASTRON_") && value === "") delete process.env[name]; // empty counts as absent
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
  const why = sentence(report.file === undefined ? report.detail : placed(report.detail, report.file));
  line(terminal.err, `${paint("red", "error")} ${printable(why)} ${paint("dim", `${printable(report.hint)} [${report.code}]`)}`);
  // One error is in the line above already.
  const { errors = [] } = report;
  for (const { path, message, line: at, column } of errors.length === 1 && report.detail.includes(errors[0]?.message ?? "") ? [] : errors) {
    const place = [...(report.file === undefined ? [] : [report.file]), ...(at === undefined ? [] : [`${at}:${column ?? 1}`])].join(":");
    line(terminal.err, printable(`  ${place}${place && " "}${path && !message.startsWith(path) ? `${path}: ` : ""}${message}`));
  }
  if (process.env.PLASTRON_DEBUG && error instanceof Error) line(terminal.err, error.stack);
  return report.exit;
}

/** As compilers write it, so that editors and people find the place: FILE:LINE:COLUMN. */
function placed(detail: string, file: string): string {
  const [, at, column, rest] = /^line (\d+), column (\d+): (.*)$/s.exec(detail) ?? [];
  return at === undefined ? `${file}: ${detail}` : `${file}:${at}:${column}: ${rest}`;
}

function sentence(text: string): string {
  return /[?!]\s*$/.test(text) ? text.trimEnd() : `${text.replace(/[.\s]+$/, "")}.`;
}

function commanderExit(error: CommanderError, terminal: Terminal): number {
  if (error.exitCode === 0) return 0;
  if (error.code === "commander.help") return 2; // a group without a command: its help is on stderr
  const why = error.message
    .replace(/^error: /, "")
    .replace(/\s*\n\s*/g, " ")
    .replace(/\.$/, "");
  line(terminal.err, `${terminal.paintErr("red", "error")} ${why}. ${terminal.paintErr("dim", "Add --help to see what is possible. [invalid_request]")}`);
  return 2;
}

function define(terminal: Terminal, done: Done): Command {
  const program = new Command("plastron")
    .description("Runs untrusted code in single-use sandboxes, under a policy, and proves it.")
    .version(VERSION, "-V, --version")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void terminal.out.write(text),
      writeErr: (text) => void terminal.err.write(text),
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
  for (const group of [
    lifecycleCommands,
    runCommands,
    recordCommands,
    policyCommands,
    learnCommands,
    runtimeCommands,
    scanCommands,
    fuzzCommands,
    advisoryCommands,
    ruleCommands,
    gateCommands,
    exemptCommands,
    hostCommands,
  ])
    group(program, terminal, done);
  program.helpCommand(false);
  program.commandsGroup("Of the launcher (./plastron):");
  launcherCommands(program);
  return program;
}

/** Listed here, done by the launcher: they work on the checkout, not on what runs. */
function launcherCommands(program: Command): void {
  for (const [name, summary] of [
    ["test", "Run the checks of this checkout"],
    ["bench", "Run its benchmarks: our figures, the peers', and the ratios"],
  ] as const) {
    program
      .command(name)
      .summary(summary)
      .usage("[...]")
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw usage(`\`${name}\` is a command of the launcher`, `Call ./plastron ${name} in the checkout.`);
      });
  }
}

const EXAMPLES = `
Examples:
  $ plastron up --detach                  start everything, return when it answers
  $ echo 'print(6 * 7)' | plastron run - --language python3
  $ plastron run crawl.js --policy dify-sandbox --limit memory=256m --limit wall=10s
  $ plastron doctor                       what this machine can enforce, and what it lacks
  $ plastron demo                         two CVEs and two dozen tricks, without and with the policy

Environment: PLASTRON_HOME, PLASTRON_PORT, PLASTRON_ADMIN_KEY (up); PLASTRON_URL, PLASTRON_API_KEY (all that speak to a server);
NO_COLOR. Exit codes: 0 good, 1 failed, 2 wrong use or input; \`run\` gives the program's own.
`;
