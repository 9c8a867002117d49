import { type Activity, DECIDING_ARGUMENTS, type Denial, type Telemetry, type Violation, type ViolationEvent } from "@plastron/contracts";
import type { Explain, Explanation } from "./explanation.ts";

/** Equal denials are one, however often they came: the sensor tells them once as they happen, and once more with their count. */
export function denialKey({ abi, call, errno, path, to, arguments: words }: Pick<Denial, "abi" | "call" | "errno" | "path" | "to" | "arguments">): string {
  const deciding = path === null && to === null ? words : DECIDING_ARGUMENTS[call]?.map((index) => words[index]);
  return JSON.stringify([abi, call, errno, path, to && [to.family, to.address, to.port], deciding ?? null]);
}

/** A denial that a rule explains, as a violation that nobody had asked a record of. `at`: ISO 8601. */
export function seenViolation(denial: Denial, { rule_id, rule_path, enforcer, event, hint }: Explanation, at: string): Violation {
  const { pid, comm, exe, stack } = denial;
  return { rule_id, rule_path, enforcer, action: "DENIED", event, pid, comm, mnt_ns_id: null, at, exe, stack, audited: false, hint };
}

/**
 * Whether a sandbox's own watcher told of the same call. It names the thing that was meant where the sensor has the path that was
 * asked for, so the process is as good as the path. Of several rules it names one, which
 * may be another than is explained.
 */
export function isTold(seen: Violation, told: readonly Violation[]): boolean {
  return told.some(
    (each) =>
      each.audited && each.action === "DENIED" && each.rule_id === seen.rule_id && (each.pid === seen.pid || subject(each.event) === subject(seen.event)),
  );
}

/** What it is about, without what was wanted of it: one open for reading and writing is two permissions or one record. */
function subject(event: ViolationEvent): string {
  return JSON.stringify("permissions" in event ? { ...event, permissions: [] } : event);
}

/** The account with the rule and the remedy beside each denial; null where neither the policy nor the platform denied it. */
export function explainTelemetry(telemetry: Telemetry, explain: Explain): Telemetry {
  const rules = new Map<string, string | null>();
  const denials = telemetry.denials.map((denial): Denial => {
    const found = explain(denial);
    rules.set(placeOf(denial), found?.rule_id ?? null);
    return { ...denial, rule: found?.rule_id ?? null, hint: found?.hint ?? null };
  });
  const named = (each: Activity): Activity => (each.kind === "denied" ? { ...each, rule: each.rule ?? rules.get(placeOf(each)) ?? null } : each);
  return { ...telemetry, denials, timeline: telemetry.timeline?.map(named) ?? null };
}

const placeOf = ({ call, path, errno }: { call: string; path: string | null; errno: string }): string => JSON.stringify([call, path, errno]);
