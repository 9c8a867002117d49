import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import type { Done } from "./options.ts";
import { ARTIFACT, collect, FUZZ_SECONDS, HOME, positive } from "./options.ts";
import { serverScanCommands } from "./server-scans.ts";

/** The names are @plastron/contracts' ANALYSERS and SEVERITIES and @plastron/scan's REPORT_FORMATS, which are not loaded for a line of help. */
const SEVERITIES = ["critical", "high", "medium", "low", "info"];

export function scanCommands(program: Command, terminal: Terminal, done: Done): void {
  program.commandsGroup("Scanning:");
  program
    .command("scan")
    .summary("Look for secrets, vulnerable code and dependencies, and malice aimed at agents")
    .description(
      "Scan a directory, a file, an archive, a git repository or a package. Exit 0: nothing at or above --fail-on; 1: findings; 2: something that matters was not looked at, or wrong use.",
    )
    .argument("[what]", ARTIFACT)
    .option("--sbom <file>", "instead of <what>: hold what this bill of materials lists (CycloneDX or SPDX) against advisories, and nothing else")
    .option("--analysers <list>", "of secrets, code, dependencies, agentware; separated by commas (default: all)")
    .option("--format <format>", "terminal, html, json, sarif, cyclonedx, openvex, junit, github, gitlab", "terminal")
    .option("--output <file>", "write the report there instead of to standard output")
    .addOption(
      new Option("--fail-on <severity>", "the least grave finding that makes the exit code 1, or none").choices([...SEVERITIES, "none"]).default("low"),
    )
    .option("--all", "of a git checkout, also what .gitignore leaves out")
    .option("--import <file>", "a SARIF log of another tool about the same tree, to judge with ours; repeatable", collect)
    .option("--history", "of a git repository on this disk, also secrets that later commits took away")
    .option("--verify-secrets", "ask providers whether the secrets that were found still work: sends each to the provider that gave it out")
    .option("--exemptions <file>", "let stand what this file exempts, malice too, instead of what the directory's own .plastron/exemptions.yaml does")
    .option("--no-exemptions", "what is exempted counts, too")
    .option("--approvals <file>", "hold tools and skills against what was approved there, instead of in the directory's own .plastron/approvals.json")
    .option("--approve", "write what tools and skills say now as approved, and say what changed")
    .option("--despite <fingerprint>", "of --approve: though this finding is malice; repeatable", collect)
    .option("--no-cache", "keep nothing of this scan, and take nothing from earlier ones")
    .option("--file-timeout <seconds>", "for one analyser's look at one file (default: 10)", positive)
    .option("--fuzz", "also call what it exports with hostile input, in sandboxes of this machine")
    .option("--fuzz-seconds <n>", `${FUZZ_SECONDS}; asks for --fuzz`, positive)
    .option("--workers <n>", "processes that look at files (default: one for each core)", positive)
    .option("--server", "bring it to the server and have it scanned there; the server keeps the result")
    .option("--project <name>", "of --server: scan it for this project, and say whether it may run there")
    .option(...HOME)
    .action(async (what, options) => done(await (await import("../commands/scan.ts")).scanCommand(what, options, terminal)));
  serverScanCommands(program, terminal, done);
}
