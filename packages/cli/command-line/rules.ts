import type { Command } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, type Done, HOME, JSON_FLAG, positive } from "./options.ts";

export function ruleCommands(program: Command, terminal: Terminal, done: Done): void {
  const rules = program
    .command("rules")
    .helpCommand(false)
    .summary("Write, try and share rules for code")
    .description("What a scan looks for in code is data: list it, write your own, try it, and share it signed. A scan itself fetches nothing.");
  ruleFileCommands(rules, terminal, done);
  packCommands(rules, terminal, done);
  authorCommands(rules, terminal, done);
}

function ruleFileCommands(rules: Command, terminal: Terminal, done: Done): void {
  rules
    .command("list")
    .description("Every rule on code that a scan looks for.")
    .option(...HOME)
    .option(...JSON_FLAG)
    .action(async (options) => done(await (await import("../commands/rules.ts")).listRules(options, terminal)));
  rules
    .command("test")
    .description("Try rules: each finds its bad examples, leaves the ok ones alone, has no slow expression and keeps its budget. Exit 1 where one does not.")
    .argument("[path]", "a folder of rules, or the file of one (default: our own)")
    .option(...JSON_FLAG)
    .action(async (path, options) => done(await (await import("../commands/rules.ts")).testRules(path, options, terminal)));
  rules
    .command("new")
    .description("Write a rule that passes its own test, to be changed.")
    .argument("<name>", "lower-case words joined by -")
    .option("--template <what>", "python, javascript, shell, dockerfile, yaml, or taint: data that must not go somewhere", "python")
    .option("--directory <dir>", "the root of your rules", "rules")
    .action(async (name, options) => done(await (await import("../commands/rules.ts")).newRule(name, options, terminal)));
}

function packCommands(rules: Command, terminal: Terminal, done: Done): void {
  rules
    .command("add")
    .description("Have scans look for the rules of a pack as well.")
    .argument("<source>", "a folder of rules; or a signed bundle, by path or address")
    .option("--key <key>", "the author's public key, ed25519:…; of a bundle; repeatable", collect, [])
    .option("--name <name>", "of a folder (default: its own)")
    .option(...HOME)
    .action(async (source, options) => done(await (await import("../commands/rule-packs.ts")).addPack(source, options, terminal)));
  rules
    .command("packs")
    .description("The packs that were added.")
    .option(...HOME)
    .action(async (options) => done(await (await import("../commands/rule-packs.ts")).showPacks(options, terminal)));
  rules
    .command("update")
    .description("Fetch packs anew. One that is tampered with, older, expired or by another's key is refused, and what was there stays. Exit 1 where one is.")
    .argument("[name]", "(default: all)")
    .option(...HOME)
    .action(async (name, options) => done(await (await import("../commands/rule-packs.ts")).updatePacks(name, options, terminal)));
  rules
    .command("remove")
    .description("Do without a pack.")
    .argument("<name>")
    .option(...HOME)
    .action(async (name, options) => done(await (await import("../commands/rule-packs.ts")).removePacks(name, options, terminal)));
}

function authorCommands(rules: Command, terminal: Terminal, done: Done): void {
  rules
    .command("keygen")
    .description("Make the keys of an author of rules. Prints the public one.")
    .requiredOption("--output <file>", "for the private key, readable by you alone")
    .action(async (options) => done(await (await import("../commands/rule-packs.ts")).makeKey(options, terminal)));
  rules
    .command("sign")
    .description("Seal a folder of rules into one file that others can add by your key.")
    .argument("<folder>")
    .requiredOption("--key <file>", "your private key")
    .requiredOption("--name <name>", "of the pack: lower-case words joined by -")
    .requiredOption("--version <n>", "counts up: who holds 7 takes no 6", positive)
    .option("--days <n>", "for how long it is good", positive, 90)
    .requiredOption("--output <file>", "the bundle")
    .action(async (folder, options) => done(await (await import("../commands/rule-packs.ts")).signPack(folder, options, terminal)));
}
