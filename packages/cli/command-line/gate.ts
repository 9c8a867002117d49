import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, JSON_FLAG } from "./options.ts";

export function gateCommands(program: Command, terminal: Terminal, done: Done): void {
  const gate = program
    .command("gate")
    .helpCommand(false)
    .description("Say whether a change may be merged or run: exit 0 it may, 1 denied, 2 it cannot be said")
    .argument("[repository]", "a git work tree or a bare repository", ".")
    .option("--base <revision>", "what the change is to be merged into; without it everything counts as new")
    .option("--head <revision>", "the change", "HEAD")
    .option("--policy <file>", "gate policy; without it the base's own .plastron/gate.yaml, then the default")
    .option("--environment <name>", "judge it for this environment of the policy: production, staging")
    .option("--pentest <file>", "a signed statement about a pentest, besides those in .plastron/attestations; repeatable", collect)
    .option("--rules <directory>", "rules beside our own; repeatable", collect)
    .option("--approvals <file>", "what was approved of tools and skills; without it the base's own .plastron/approvals.json")
    .option("--exemptions <file>", "exemptions of yours, beside those of the base's own .plastron/exemptions.yaml")
    .option("--verify-secrets", "ask providers whether the secrets that were found work: those that do deny, new or not; sends each to its provider")
    .addOption(new Option("--report <format>", "write the whole report of the head, too").argParser(String))
    .option("--output <file>", "where the report goes (default: standard output, after the decision)")
    .option("--publish <forge>", "tell github, gitlab or gitea, as the CI job's environment says where; repeatable", collect)
    .option(...JSON_FLAG)
    .addHelpText("after", EXAMPLES)
    .action(async (repository, options) => done(await (await import("../commands/gate.ts")).gateCommand(repository, options, terminal)));
  gate
    .command("install-hook")
    .description("Let a git server's repository ask the gate before it accepts a push.")
    .argument("<repository>", "a bare repository on this machine")
    .option("--policy <file>", "the server's gate policy: it is copied, and no push can change it")
    .option("--environment <name>", "judge pushes for this environment of the policy: production")
    .option("--force", "replace a hook that is there")
    .action(async (repository, options) => done((await import("../commands/gate-hook.ts")).installHook(repository, options, terminal)));
  gate
    .command("hook", { hidden: true })
    .description("Called by git as its pre-receive hook; reads OLD NEW REF lines.")
    .option("--policy <file>")
    .option("--environment <name>")
    .action(async (options) => done(await (await import("../commands/gate-hook.ts")).receiveHook(options, terminal)));
  gate
    .command("attest")
    .description("Sign that a pentest was done, as the policy's `pentest` asks for.")
    .requiredOption("--project <name>", "the `project` of the gate policy")
    .requiredOption("--commit <hash>", "what was tested")
    .addOption(new Option("--result <result>").choices(["passed", "failed"]).makeOptionMandatory())
    .requiredOption("--tester <name>", "who tested")
    .option("--finished-at <time>", "when, in RFC 3339 (default: now)")
    .requiredOption("--key <file>", "the tester's private key (PEM), of `gate keygen`")
    .action(async (options) => done((await import("../commands/gate-attest.ts")).attest(options, terminal)));
  gate
    .command("keygen")
    .description("Make a key for `gate attest`: the private one into a file, the public one for the policy printed.")
    .argument("<file>")
    .action(async (file) => done((await import("../commands/gate-attest.ts")).keygen(file, terminal)));
}

const EXAMPLES = `
Examples:
  $ plastron gate --base origin/main                      judge what HEAD would bring to main
  $ plastron gate --base main --environment production
  $ plastron gate --base main --report sarif --output gate.sarif
  $ plastron gate install-hook /srv/git/shop.git --policy gate.yaml
`;
