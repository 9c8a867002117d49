import { type Activity, type Denial, denialSchema, type RunResult, TELEMETRY_BOUNDS, type Telemetry } from "@plastron/contracts";

/** What of one run's account is kept, in bytes of JSON, beside its timeline; and the timeline of a run that asked for one. */
export const MOST_ACCOUNT = 256 * 1024;
export const MOST_TIMELINE = 1024 * 1024;
const MOST_MODEL = 4 * 1024 * 1024;
/** The longest text that is kept of an account that fits, and of one that had to be cut. */
const LONGEST = 4096;
const SHORT = 512;
/** Names of system calls, and whatever else stands as a key. */
const MOST_KEYS = 700;

/** A denial frame as it came. The program chose the texts in it. @throws ZodError */
export function readDenial(value: unknown): Denial {
  return cut(denialSchema.parse(value), LONGEST);
}

/** The result with an account that is no longer than what is kept. What is cut away is counted. */
export function boundTelemetry(result: RunResult): RunResult {
  return { ...result, telemetry: boundAccount(result.telemetry), broken_by: result.broken_by && cut(result.broken_by, SHORT) };
}

function boundAccount(telemetry: Telemetry): Telemetry {
  return { ...boundRecord(telemetry), model: boundModel(telemetry.model) };
}

/** What a profile is made of is not kept with the run; of one that is too long no profile can be made. */
function boundModel(model: Telemetry["model"]): Telemetry["model"] {
  return model && size(model) <= MOST_MODEL ? cut(model, LONGEST) : null;
}

function boundRecord(telemetry: Telemetry): Telemetry {
  const { timeline, ...account } = telemetry;
  const kept = withTimeline({ ...account, model: null, timeline: null }, timeline);
  for (let share = 1; share > 1 / 64; share /= 2) {
    const shrunk = shrink(kept, share);
    if (size({ ...shrunk, timeline: null }) <= MOST_ACCOUNT) return shrunk;
  }
  return { ...kept, ...NOTHING(kept) };
}

/** As much of the beginning as may be kept. */
function withTimeline(account: Telemetry, timeline: Activity[] | null): Telemetry {
  if (timeline === null) return account;
  const kept: Activity[] = [];
  let bytes = 0;
  for (const activity of timeline.slice(0, TELEMETRY_BOUNDS.timeline)) {
    const short = cut(activity, SHORT);
    bytes += size(short) + 1;
    if (bytes > MOST_TIMELINE) break;
    kept.push(short);
  }
  return { ...account, timeline: kept, lost: { ...account.lost, listed: account.lost.listed + timeline.length - kept.length } };
}

/** That part of every list. Stacks go first, since each is as long as many other things. */
function shrink(telemetry: Telemetry, share: number): Telemetry {
  const longest = share < 1 ? SHORT : LONGEST;
  let cutAway = 0;
  const some = <T>(list: readonly T[], most: number): T[] => {
    const kept = list.slice(0, Math.ceil(Math.min(most, list.length) * share));
    cutAway += list.length - kept.length;
    return cut(kept, longest);
  };
  const { processes, files, network, denials } = telemetry;
  const told = some(denials, TELEMETRY_BOUNDS.denials).map((each, i) => (i < TELEMETRY_BOUNDS.stacks * share ? each : { ...each, stack: null }));
  const shrunk = {
    ...telemetry,
    processes: { ...processes, list: some(processes.list, TELEMETRY_BOUNDS.processes) },
    files: { ...files, list: some(files.list, TELEMETRY_BOUNDS.files) },
    network: {
      ...network,
      peers: some(network.peers, TELEMETRY_BOUNDS.peers),
      flows: some(network.flows, TELEMETRY_BOUNDS.peers),
      names: some(network.names, TELEMETRY_BOUNDS.names),
    },
    syscalls: cut(telemetry.syscalls, LONGEST),
    reason: telemetry.reason && cut(telemetry.reason, LONGEST),
    denials: told,
    denials_dropped: telemetry.denials_dropped + denials.length - told.length,
  };
  return { ...shrunk, lost: { ...telemetry.lost, listed: telemetry.lost.listed + cutAway } };
}

/** Of an account that is long without its lists nothing but the numbers is kept. */
const NOTHING = ({ processes, files, network, syscalls, lost, denials, denials_dropped }: Telemetry) => ({
  processes: { ...processes, list: [] },
  files: { ...files, by_class: {}, list: [] },
  network: { ...network, peers: [], flows: [], names: [] },
  syscalls: { ...syscalls, by_name: {}, errors: {}, denied: {} },
  denials: [],
  denials_dropped: denials_dropped + denials.length,
  lost: { ...lost, listed: lost.listed + processes.list.length + files.list.length + network.peers.length + denials.length },
  reason: null,
});

const size = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

/** The same value with every text in it cut, and half surrogate pairs replaced: PostgreSQL's json reads none. */
function cut<T>(value: T, longest: number): T {
  if (typeof value === "string") return (value.length > longest ? `${value.slice(0, longest)}…` : value).toWellFormed() as T;
  if (Array.isArray(value)) return value.map((each) => cut(each, longest)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).slice(0, MOST_KEYS);
  return Object.fromEntries(entries.map(([key, inner]) => [cut(key, 256), cut(inner, longest)])) as T;
}
