import type { Violation } from "@plastron/contracts";
import type { Client, Run } from "../client/client.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { placedHint } from "../trace/denials.ts";
import { type Placed, type PolicySource, placed, storedSource } from "./place.ts";
import { describeViolation } from "./words.ts";

/** A program that tries one thing in a loop gets one line. */
const MOST_LINES = 20;

/**
 * After a run, on standard error: each violation on one line, with the rule, its place in the policy, and what would allow it. What
 * the policy wants no record of is told where the run failed: it may be why.
 */
export async function sayViolations(run: Run, given: PolicySource | undefined, client: Pick<Client, "getPolicy">, terminal: Terminal): Promise<void> {
  const groups = grouped((run.violations ?? []).filter(({ audited }) => audited !== false || run.status !== "completed"));
  if (groups.length === 0) return;
  const source = given ?? (await storedSource(run, client));
  const paths = groups.flatMap(({ violation: { rule_path, hint } }) => [rule_path, ...(hint?.match(/spec\.policy[\w.[\]-]*/g) ?? [])]);
  const found = source && (await placed(source, new Set(paths)));
  for (const { text, violation, count } of groups.slice(0, MOST_LINES)) {
    const times = count > 1 ? ` (${count} times)` : "";
    const why = `${printable(violation.rule_id)}${remedy(violation, found)}`;
    line(
      terminal.err,
      `${terminal.paintErr(violation.action === "DENIED" ? "yellow" : "dim", `plastron: ${text}${times}`)} ${terminal.paintErr("dim", `by ${why}`)}`,
    );
  }
  const rest = groups.length - MOST_LINES;
  const more = [
    ...(rest > 0 ? [`${rest} more kinds: plastron violations --run ${run.id}`] : []),
    ...(run.violations_dropped ? [`${run.violations_dropped} more were counted and not recorded`] : []),
  ];
  for (const text of more) line(terminal.err, terminal.paintErr("dim", `plastron: ${printable(text)}`));
}

function remedy({ action, rule_id, rule_path, hint }: Violation, found: Placed | undefined): string {
  const place = rule_path === "" ? undefined : found?.places.get(rule_path); // the platform's stand in no policy
  const at = place ? ` at ${printable(place)}` : "";
  if (action !== "DENIED") return at;
  if (hint) return `${at}: ${printable(placedHint(hint, { places: found?.places ?? new Map() }))}`;
  if (rule_path === "spec.policy.mode") return ", which lies under every policy";
  if (found?.allows) return `${at}, which lets it pass: the platform itself denies it, unless it is run with --permissive`;
  if (place && /^defenseInDepth\.(appArmor:|seccomp)/.test(rule_id)) return `${at}: what is not on that list is denied, so add it there`;
  if (place) return `${at}: remove that line to lift the rule`;
  if (rule_path === "") return "";
  return found ? ` (${printable(rule_path)})` : ` (${printable(rule_path)} of the policy): a policy without that rule lifts it`;
}

function grouped(violations: Violation[]): { text: string; violation: Violation; count: number }[] {
  const groups = new Map<string, { text: string; violation: Violation; count: number }>();
  for (const violation of violations) {
    const text = describeViolation(violation);
    const key = `${violation.rule_id} ${text}`;
    const known = groups.get(key);
    if (known) known.count++;
    else groups.set(key, { text, violation, count: 1 });
  }
  return [...groups.values()];
}
