import { InvalidArgumentError } from "commander";

/** Hears the exit code of the command that ran. */
export type Done = (code: number) => void;

export const HOME: [string, string] = ["--home <dir>", "where state lives (default: PLASTRON_HOME, else .plastron beside the launcher)"];
export const JSON_FLAG: [string, string] = ["--json", "print one JSON document"];

/** A flag that may be given more than once. */
export const collect = (value: string, before: string[] = []): string[] => [...before, value];

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
