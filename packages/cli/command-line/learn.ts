import { type Command, InvalidArgumentError } from "commander";
import type { Terminal } from "../terminal/terminal.ts";
import { ALLOW_NET, collect, type Done, JSON_FLAG } from "./options.ts";

/** `plastron learn`. */
export function learnCommands(program: Command, terminal: Terminal, done: Done): void {
  program
    .command("learn")
    .usage("[options] -- FILE|COMMAND [ARGS]")
    .summary("Learn what a program does, and write the policy that allows that alone")
    .description(
      "Let a program run while the sensor looks on, write a profile of what it did and the policy that allows that and nothing else, and try that policy.",
    )
    .argument("<words...>", "a file with its arguments, or a command")
    .option("--name <name>", "name of the policy", "learned")
    .option("--runtime <name>", "python3, nodejs or bash, where the file's name does not tell")
    .option("--runs <n>", "how often it is run while it is learnt", count(1, 1000), 3)
    .option("--duration <time>", "begin no run after so long, e.g. 90s or 10m", duration, 10 * 60_000)
    .option("--verify <n>", "how often it is run under what was learnt", count(0, 10_000), 3)
    .option("--file <local[:path]>", "a file for it; may be repeated", collect, [])
    .option("--env <name=value>", "a variable of its environment; may be repeated", collect, [])
    .option(...ALLOW_NET)
    .option("--limit <name=value>", "memory, wall, …; may be repeated", collect, [])
    .option("-o, --output <dir>", "where profile.json and policy.yaml go", ".")
    .option("--force", "take in runs of which the sensor lost something")
    .option("--allow-dangerous", "put what is dangerous (/etc/shadow, credentials) into the policy too")
    .option(...JSON_FLAG)
    .passThroughOptions()
    .action(async (words, options) => done(await (await import("../commands/learn.ts")).learnCommand(words, options, terminal)));
}

const count = (least: number, most: number) => (text: string) => {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number < least || number > most) throw new InvalidArgumentError(`It is a number from ${least} to ${most}.`);
  return number;
};

function duration(text: string): number {
  const [, number, unit] = /^(\d{1,6})(s|m|h)$/.exec(text) ?? [];
  if (!number) throw new InvalidArgumentError("It is a number with s, m or h, such as 10m.");
  return Number(number) * { s: 1_000, m: 60_000, h: 3_600_000 }[unit as "s" | "m" | "h"];
}
