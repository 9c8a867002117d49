import { InvalidArgumentError } from "commander";

/** Hears the exit code of the command that ran. */
export type Done = (code: number) => void;

export const HOME: [string, string] = ["--home <dir>", "where state lives (default: PLASTRON_HOME, else .plastron beside the launcher)"];
export const JSON_FLAG: [string, string] = ["--json", "print one JSON document"];

/** What is scanned or fuzzed. */
export const ARTIFACT = "a path, a git URL, npm:NAME[@VERSION] or pypi:NAME[==VERSION]";
/** Of fuzzing, alone or as part of a scan (fuzz/lent.ts has the default). */
export const FUZZ_SECONDS = "how long to search, over all functions and tools (default: 30)";

/** A flag that may be given more than once. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

/** What a run or a session may reach (run/network.ts). */
export const ALLOW_NET: [string, string, (value: string, before?: string[]) => string[]] = [
  "--allow-net <what>",
  "let it reach a NAME[:PORT], '*.NAME', 'METHODS https://NAME/PATH*' or NETWORK[:PORT], and nothing else; none takes away what the policy gives; repeatable",
  collect,
];
export const SECRET: [string, string, (value: string, before?: string[]) => string[]] = [
  "--secret <NAME=secret/key@host>",
  "a placeholder in its environment that becomes the real secret in requests to these hosts alone; repeatable (admin keys)",
  collect,
];

export function port(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return value;
}

export function positive(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) < 1) throw new InvalidArgumentError("It must be a number of at least 1.");
  return Number(text);
}

export function tier(text: string): number {
  if (!/^[1-4]$/.test(text)) throw new InvalidArgumentError("A tier is 1, 2, 3 or 4.");
  return Number(text);
}
