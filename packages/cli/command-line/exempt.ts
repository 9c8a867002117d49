import { type Command, InvalidArgumentError, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, JSON_FLAG, positive } from "./options.ts";

/** The words are @plastron/contracts' and @plastron/scan's, which are not loaded for a line of help. */
const STATUSES = ["accepted", "not_affected", "false_positive"];
const JUSTIFICATIONS = [
  "component_not_present",
  "vulnerable_code_not_present",
  "vulnerable_code_not_in_execute_path",
  "vulnerable_code_cannot_be_controlled_by_adversary",
  "inline_mitigations_already_exist",
];
const MOST_DAYS = 90;
const DIRECTORY: [string, string, string] = ["[directory]", "in which the code lies", "."];

export function exemptCommands(program: Command, terminal: Terminal, done: Done): void {
  const exempt = program
    .command("exempt")
    .helpCommand(false)
    .description("Let findings stand for a while: scoped, with a reason, answered for by somebody else, 90 days at most");
  exempt
    .command("add")
    .description("Add an exemption to .plastron/exemptions.yaml. Of what is given to say which findings, all must hold.")
    .argument(...DIRECTORY)
    .option("--fingerprint <id>", "the very finding, as the report gives it; the only way to exempt malice or a live secret")
    .option("--advisory <name>", "CVE-…, GHSA-…")
    .option("--dependency <name>", "npm:lodash, pypi:jinja2 or pkg:npm/lodash")
    .option("--versions <range>", "of the dependency, in its ecosystem's words")
    .option("--through <name>", "a package on the way to it, from the outermost in; repeatable", collect)
    .option("--rule <glob>", "code/javascript/xss; several by code/javascript/*, which needs --path")
    .option("--path <glob>", "src/legacy/**")
    .requiredOption("--reason <text>", "why it may stand: 20 characters or more")
    .requiredOption("--approver <who>", "who answers for it: somebody else than its author")
    .option("--author <who>", "who asks for it (default: git's user.email)")
    .option("--days <n>", `for how long, ${MOST_DAYS} at most`, days, 30)
    .addOption(new Option("--status <status>", "the harm is borne, cannot happen here, or is none").choices(STATUSES).default("accepted"))
    .addOption(new Option("--justification <why>", "of not_affected, in the words of OpenVEX").choices(JUSTIFICATIONS))
    .option("--id <id>", "its name (default: EX-, the day and a number)")
    .action(async (directory, options) => done(await (await import("../commands/exempt.ts")).addExemption(directory, options, terminal)));
  exempt
    .command("list")
    .description("What is exempted, by whom and until when.")
    .argument(...DIRECTORY)
    .option(...JSON_FLAG)
    .action(async (directory, options) => done(await (await import("../commands/exempt.ts")).listExemptions(directory, options, terminal)));
  exempt
    .command("check")
    .description("Say whether the file is valid; each fault with its line. Exit 0: valid; 1: some have expired; 2: not valid.")
    .argument(...DIRECTORY)
    .action(async (directory) => done(await (await import("../commands/exempt.ts")).checkExemptions(directory, terminal)));
  exempt
    .command("expire")
    .description("End an exemption today.")
    .argument("<id>")
    .argument(...DIRECTORY)
    .action(async (id, directory) => done(await (await import("../commands/exempt.ts")).expireExemption(id, directory, terminal)));
}

function days(text: string): number {
  const value = positive(text);
  if (value > MOST_DAYS) throw new InvalidArgumentError(`${MOST_DAYS} days are the most.`);
  return value;
}
