import type { Diagnostics, Parameters } from "recheck";
import recheck from "recheck/lib/browser.js";

export interface PumpWord {
  readonly prefix: string;
  readonly unit: string;
  readonly suffix: string;
}

const EACH_MS = 1500;
const ALL_MS = 6000;

/** Texts on which these expressions (`/…/flags`) would be slow, as far as a theory of them says; whether the target is slow on them, its sandbox shows. */
export function pumpsOf(patterns: readonly string[]): PumpWord[] {
  const end = Date.now() + ALL_MS;
  return patterns.flatMap((pattern) => (Date.now() < end ? attacksOn(pattern) : []));
}

function attacksOn(pattern: string): PumpWord[] {
  const close = pattern.lastIndexOf("/");
  try {
    const check = recheck as { checkSync(source: string, flags: string, more: Parameters): Diagnostics };
    const found = check.checkSync(pattern.slice(1, close), pattern.slice(close + 1).replace(/[^imsuy]/g, ""), { timeout: EACH_MS, recallTimeout: -1000 });
    if (found.status !== "vulnerable") return [];
    const { pumps, suffix } = found.attack;
    const [first] = pumps;
    return first && first.pump !== "" && first.pump.length < 1000
      ? [{ prefix: first.prefix.slice(0, 1000), unit: first.pump, suffix: suffix.slice(0, 1000) }]
      : [];
  } catch {
    return []; // not an expression that it knows
  }
}
