import { readFileSync } from "node:fs";

/** The text of a program that lies beside this file. */
export function program(name: string): string {
  return readFileSync(new URL(name, import.meta.url), "utf8");
}

const REPORT = program("report.py");

/** A Python attack: the way to report, then the attack. */
export function python(code: string): string {
  return `${REPORT}\n${code}`;
}
