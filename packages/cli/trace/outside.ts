import type { Activity, Telemetry, Violation } from "@plastron/contracts";

const NAME_PORT = 53;

/**
 * Violations that no denied call in the account stands for: what the proxy denied came back to the program as an answer, and what
 * is let through and recorded was no denial at all.
 */
export function outsideViolations(violations: readonly Violation[], { denials }: Telemetry): Violation[] {
  return violations.filter(({ rule_id, pid, event, audited }) => {
    const path = "path" in event ? event.path : null;
    return audited !== false && !denials.some((denial) => denial.rule === rule_id && (denial.pid === pid || (path !== null && denial.path === path)));
  });
}

/** That a name was denied, and why: the first that says so of it, or of its relatives. */
export function reasonOfName(violations: readonly Violation[], { name, answer }: Extract<Activity, { kind: "dns" }>): Violation | undefined {
  if (answer !== "denied") return undefined;
  const about = (host: string) => violations.find(({ event }) => isAboutName(event) && event.host === host);
  return about(name) ?? about(`*.${name.split(".").slice(-2).join(".")}`);
}

type AboutName = Extract<Violation["event"], { type: "http" }>;
const isAboutName = (event: Violation["event"]): event is AboutName => "host" in event && event.method === "" && event.port === NAME_PORT;

/** Where a name's question stands in the timeline, its violation stands there. */
export function isToldByName({ event }: Violation, timeline: readonly Activity[]): boolean {
  return isAboutName(event) && timeline.some((each) => each.kind === "dns" && each.name === event.host);
}
