import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { type Done, HOME, JSON_FLAG, port } from "./options.ts";

export function lifecycleCommands(program: Command, terminal: Terminal, done: Done): void {
  program.commandsGroup("Platform:");
  program
    .command("up")
    .summary("Start the agent and the server")
    .description("Starts the sandbox agent and the server, and keeps them running. In the foreground Ctrl-C stops everything in order.")
    .option("-d, --detach", "return when everything answers; `plastron down` stops it")
    .addOption(new Option("--port <n>", "port of the API").env("PLASTRON_PORT").default(7300).argParser(port))
    .addOption(new Option("--host <address>", "address to listen on").env("PLASTRON_HOST").default("127.0.0.1"))
    .addOption(new Option("--dify-port <n>", "serve Dify's code-execution API on a port of its own too").env("PLASTRON_DIFY_PORT").argParser(port))
    .addOption(new Option("--permissive", "let policies lift what the platform denies by itself (AlwaysAllow, allowViolations, privileged)"))
    .addOption(new Option("--cluster-addresses <file>", "names and addresses of a cluster, for rules that name services and pods"))
    .addOption(new Option("--run-network <mode>", "whether runs may ask for a network beyond what their policy gives").choices(["allow", "deny"]))
    .option(...HOME)
    .option(...JSON_FLAG)
    .addOption(new Option("--report-fd <n>").argParser(Number).hideHelp())
    .addHelpText(
      "after",
      "\nExamples:\n  $ plastron up\n  $ plastron up --detach --port 8300 --home /var/lib/plastron\n  $ PLASTRON_ADMIN_KEY=my-own-key plastron up -d --dify-port 8194\n",
    )
    .action(async (options) => done(await (await import("../commands/up.ts")).up(options, terminal)));
  program
    .command("down")
    .summary("Stop them")
    .description("Stops what runs on this home: in order first, by force after eight seconds.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/down.ts")).down(options, terminal)));
  program
    .command("status")
    .summary("Say whether it runs, where, and how well")
    .description("Says whether it runs, where, and how well. Exit 0 running, 1 not.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/status.ts")).status(options, terminal)));
}
