import { type Command, Option } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { type Done, HOME, JSON_FLAG, tier } from "./options.ts";
import { adviseCommand } from "./policy-advise.ts";
import { exportCommand } from "./policy-export.ts";

const COMPAT: [string, string] = ["--upstream-compat", "unknown rules are warnings, as vArmor itself treats them"];

export function policyCommands(program: Command, terminal: Terminal, done: Done): void {
  program.commandsGroup("Policy and proof:");
  const policy = program.command("policy").helpCommand(false).description("Check, explain and test policies; store them on the server");
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
      .option(...COMPAT)
      .option("--permissive", "as if the operator let policies lift what the platform denies by itself (`up --permissive`)")
      .option("--cluster-addresses <file>", "names and addresses of a cluster, as `up --cluster-addresses` takes them")
      .option("--min-tier <n>", "for the driver of this isolation tier (1 to 4)", tier)
      .option(...JSON_FLAG)
      .action(async (file, options) => {
        const commands = await import("../commands/policy-file.ts");
        const command = name === "check" ? commands.checkPolicy : name === "explain" ? commands.explainPolicy : commands.testPolicy;
        done(await command(file, options, terminal));
      });
  }
  adviseCommand(policy, terminal, done);
  exportCommand(policy, terminal, done);
  policy
    .command("put")
    .description("Store a policy under a name; runs choose it by --policy.")
    .argument("<name>")
    .argument("<file>", "VarmorPolicy YAML, or - for standard input")
    .option(...COMPAT)
    .option("--min-tier <n>", "say how the driver of this isolation tier would enforce it", tier)
    .addOption(new Option("--permissive").hideHelp())
    .addOption(new Option("--cluster-addresses <file>").hideHelp())
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, file, options) => done(await (await import("../commands/policy-store.ts")).putPolicy(name, file, options, terminal)));
  policy
    .command("get")
    .description("Print a stored policy.")
    .argument("<name>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/policy-store.ts")).getPolicy(name, options, terminal)));
  policy
    .command("behavior")
    .description("What runs under a stored policy in mode BehaviorModeling were seen to do, or the policy that allows that alone.")
    .argument("<name>")
    .option("--policy", "print the policy that was learnt: read it, then store it with policy put")
    .option("--allow-dangerous", "of --policy: give what the profile calls dangerous, too")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/policy-behavior.ts")).policyBehavior(name, options, terminal)));
  policy
    .command("list")
    .description("The stored policies.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/policy-store.ts")).listPolicies(options, terminal)));
  policy
    .command("delete")
    .description("Delete a stored policy; its versions stay in the record.")
    .argument("<name>")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (name, options) => done(await (await import("../commands/policy-store.ts")).deletePolicy(name, options, terminal)));
}
