import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { type Done, HOME, JSON_FLAG, positive } from "./options.ts";

/** What the server keeps of scans, and what may run for a project. */
export function serverScanCommands(program: Command, terminal: Terminal, done: Done): void {
  artifactCommands(program, terminal, done);
  program
    .command("findings")
    .summary("List what the server's scans found")
    .description("What scans on the server found: of the newest scan of each artifact, the most urgent first.")
    .option("--scan <scan>", "of this scan alone")
    .option("--artifact <digest>", "of this artifact alone")
    .option("--project <name>", "of scans for this project")
    .option("--severity <list>", "critical, high, medium, low, info; separated by commas")
    .option("--analyser <name>", "secrets, code, dependencies or agentware")
    .addOption(new Option("--state <state>").choices(["open", "exempted"]))
    .option("--rule <rule>", "a rule, or the beginning of its path: code/javascript")
    .option("--cve <name>", "a CVE, GHSA or other name of an advisory")
    .option("--package <name>", "about this package")
    .option("--text <text>", "somewhere in the title or the path")
    .option("--limit <n>", "how many", positive, 50)
    .option("--cursor <cursor>", "go on where a list ended")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/findings.ts")).findings(options, terminal)));
  projectCommands(program, terminal, done);
}

function artifactCommands(program: Command, terminal: Terminal, done: Done): void {
  const artifact = program.command("artifact").helpCommand(false).description("Bring to the server what it shall scan and run; list and remove it");
  artifact
    .command("upload")
    .description("Bring an artifact; its digest, which names it, is printed.")
    .argument("<what>", "a directory, file or archive; or what the server fetches: a git URL, npm:NAME[@VERSION], pypi:NAME[==VERSION]")
    .option("--all", "of a git checkout, also what .gitignore leaves out")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (what, options) => done(await (await import("../commands/artifact.ts")).uploadArtifact(what, options, terminal)));
  artifact
    .command("list")
    .description("Artifacts, newest first.")
    .option("--limit <n>", "how many", positive, 20)
    .option("--cursor <cursor>", "go on where a list ended")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/artifact.ts")).listArtifacts(options, terminal)));
  artifact
    .command("rm")
    .description("Remove an artifact with its scans and admissions.")
    .argument("<digest>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (digest, options) => done(await (await import("../commands/artifact.ts")).removeArtifact(digest, options, terminal)));
}

function projectCommands(program: Command, terminal: Terminal, done: Done): void {
  const project = program.command("project").helpCommand(false).description("Say what may run for an assistant, plugin or app");
  project
    .command("put")
    .description("Make a project, or say anew what may run for it.")
    .argument("<name>")
    .option("--demand-passed", "nothing runs for it but artifacts that passed its gate")
    .option("--gate <file>", "its gate policy (default: the built-in one)")
    .option("--environment <name>", "which environment of the policy it is: production, staging")
    .option("--exemptions <file>", "what of its artifacts' findings may stand, written as .plastron/exemptions.yaml; theirs never counts here")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/project.ts")).putProject(name, options, terminal)));
  project
    .command("list")
    .description("The projects of the tenant.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/project.ts")).listProjects(options, terminal)));
  project
    .command("show")
    .description("One project, and what its gate said of artifacts.")
    .argument("<name>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/project.ts")).showProject(name, options, terminal)));
  project
    .command("rm")
    .description("Remove a project; keys that are bound to it run nothing any more.")
    .argument("<name>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/project.ts")).removeProject(name, options, terminal)));
  project
    .command("admit")
    .description("Judge an artifact by its newest scan: exit 0 it may run, 1 denied, 2 it cannot be said.")
    .argument("<name>")
    .argument("<digest>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, digest, options) => done(await (await import("../commands/project.ts")).admitArtifact(name, digest, options, terminal)));
}
