import { type Activity, type EgressAccount, STAND_IN_NAMESERVER, TELEMETRY_BOUNDS, type Telemetry, type Violation } from "@plastron/contracts";

type Doer = Pick<Violation, "pid" | "comm" | "exe">;
type Connection = Extract<Activity, { to: unknown }>;

const NOBODY: Doer = { pid: 0, comm: "", exe: "" };
const DNS_PORT = 53;
const LONGEST_COMM = 15;

/** The timeline with each name at the time when it was first asked for. The kernel saw who asks the nameserver, and not for what. */
export function withQuestions(telemetry: Telemetry, { names }: EgressAccount, tracedFrom_us: number): Telemetry {
  if (telemetry.timeline === null) return telemetry;
  const { pid, comm } = doerOf(telemetry, [STAND_IN_NAMESERVER], DNS_PORT);
  const asked = names.flatMap(({ name, type, answer, at_us }): Activity[] =>
    at_us == null ? [] : [{ kind: "dns", t_us: Math.max(0, at_us - tracedFrom_us), pid, comm, name, type, answer }],
  );
  const timeline = [...telemetry.timeline, ...asked].sort((one, other) => one.t_us - other.t_us);
  const over = Math.max(0, timeline.length - TELEMETRY_BOUNDS.timeline);
  const lost = { ...telemetry.lost, listed: telemetry.lost.listed + over };
  return { ...telemetry, timeline: timeline.slice(0, TELEMETRY_BOUNDS.timeline), lost };
}

/**
 * Violations of the way out with the process that the kernel saw connect to the same place. The relay does not know who is behind a
 * connection, so only what is unambiguous is said: one process alone went there, or there was but one.
 */
export function withDoers(violations: readonly Violation[], telemetry: Telemetry): Violation[] {
  return violations.map((violation) => {
    const { enforcer, event, pid } = violation;
    if (enforcer !== "NetworkProxy" || pid !== 0 || event.operation !== "Network" || event.type === "socket") return violation;
    return { ...violation, ...doerOf(telemetry, event.type === "connect" ? [event.ip] : standInsOf(telemetry, event.host, event.port), event.port) };
  });
}

/** A name's questions go to the nameserver, and all else to the address that stands for it. */
function standInsOf({ network }: Telemetry, host: string, port: number): string[] {
  if (port === DNS_PORT) return [STAND_IN_NAMESERVER];
  return [host, ...network.flows.filter((flow) => flow.host === host && flow.port === port).map(({ address }) => address)];
}

function doerOf(telemetry: Telemetry, addresses: readonly string[], port: number): Doer {
  const { processes, timeline, lost, level } = telemetry;
  if (level !== "full" || lost.events > 0) return NOBODY;
  const isThere = (each: Activity): each is Connection =>
    (each.kind === "connect" || each.kind === "send") && each.to.port === port && addresses.includes(each.to.address.replace(/^::ffff:/i, ""));
  const went = (timeline ?? []).filter(isThere);
  const [first] = went;
  if (first && went.every(({ pid }) => pid === first.pid)) {
    return { pid: first.pid, comm: first.comm, exe: processes.list.find(({ pid }) => pid === first.pid)?.exe ?? "" };
  }
  const [only, ...others] = processes.list;
  if (first || !only || others.length > 0 || processes.forks > 0) return NOBODY;
  return { pid: only.pid, comm: only.exe.slice(only.exe.lastIndexOf("/") + 1).slice(0, LONGEST_COMM), exe: only.exe };
}
