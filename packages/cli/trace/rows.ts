import type { Activity, Denial, PathClass, Violation } from "@plastron/contracts";
import type { Style } from "../terminal/terminal.ts";
import { describeViolation } from "../violations/words.ts";
import { isToldByName, reasonOfName } from "./outside.ts";
import { plural } from "./page.ts";
import { addressWords, CLASSES, commonDirectory, OWN, shortPath } from "./places.ts";
import { commandLine, type Process, type Processes } from "./processes.ts";

/** One line of the timeline. All words of `what` may be a program's. */
export interface Row {
  at: number;
  /** Null: it was told by somebody who does not know. */
  who: Process | null;
  what: string;
  style?: Style;
  times: number;
  /** Its reason comes under it. */
  denial?: Denial;
  violation?: Violation;
}

type Of<Kind extends Activity["kind"]> = Extract<Activity, { kind: Kind }>;

interface Context {
  processes: Processes;
  hosts: ReadonlyMap<string, string>;
  denials: readonly Denial[];
  /** Those that are no denied call (outside.ts). */
  violations: readonly Violation[];
}

/** The order of events as lines: what comes in hundreds is one line, and what comes again is counted. */
export function rowsOf(timeline: readonly Activity[], context: Context): Row[] {
  const rows: Row[] = [];
  const denied = new Set(timeline.flatMap((each) => (each.kind === "denied" ? [deniedKey(each.pid, each.path, each.errno)] : [])));
  let group: Group | undefined;
  const waiting = context.violations
    .filter((each) => each.t_us !== undefined && !isToldByName(each, timeline))
    .map((each) => violationRow(each, context))
    .toSorted((one, other) => one.at - other.at);
  const put = (...more: Row[]): void => {
    if (group) push(rows, groupRow(group));
    group = undefined;
    for (const row of more) push(rows, row);
  };
  for (const each of timeline) {
    const earlier = waiting.findIndex(({ at }) => at >= each.t_us);
    if (earlier !== 0 && waiting.length > 0) put(...waiting.splice(0, earlier < 0 ? waiting.length : earlier));
    if (isToldAsDenied(each, denied)) continue;
    const who = each.pid === 0 ? null : context.processes.of(each);
    if (who && isLoading(each)) {
      if (group?.who !== who) put();
      group = group?.who === who ? group : { who, at: each.t_us, read: new Map(), missing: new Set(), threads: 0 };
      gather(group, each);
      continue;
    }
    const row = rowOf(each, who, context);
    if (row === null) continue;
    put(row);
  }
  put(...waiting);
  return rows;
}

/** What a program does before it comes to its own affairs: it looks for libraries, reads them, starts threads. */
interface Group {
  who: Process;
  at: number;
  read: Map<string, PathClass>;
  missing: Set<string>;
  threads: number;
}

const MISSING = ["ENOENT", "ENOTDIR"];
const DENIED = ["EPERM", "EACCES", "EROFS"];

function isLoading(each: Activity): boolean {
  if (each.kind === "fork") return each.thread;
  if (each.kind === "exec") return each.errno !== null && MISSING.includes(each.errno); // along PATH
  if (each.kind !== "open" || OWN.includes(each.class)) return false;
  return each.errno === null ? each.access === "read" || each.access === "path" : MISSING.includes(each.errno);
}

function gather(group: Group, each: Activity): void {
  if (each.kind === "fork") group.threads++;
  else if (each.kind === "exec") group.missing.add(each.path);
  else if (each.kind === "open" && each.errno === null) group.read.set(each.path, each.class);
  else if (each.kind === "open") group.missing.add(each.path);
}

function groupRow({ who, at, read, missing, threads }: Group): Row {
  const words = [
    ...(read.size > 0 ? [readWords(read)] : []),
    ...(missing.size === 1 ? [`looks for ${[...missing][0]}, which is not there`] : []),
    ...(missing.size > 1 ? [`looks for ${plural(missing.size, "file")} that are not there`] : []),
    ...(threads > 0 ? [`starts ${plural(threads, "thread")}`] : []),
  ];
  return { at, who, what: words.join("; "), style: "dim", times: 1 };
}

function readWords(read: ReadonlyMap<string, PathClass>): string {
  const paths = [...read.keys()];
  if (paths.length === 1) return `reads ${paths[0]}`;
  const classes = [...new Set(read.values())].map((name) => `${[...read.values()].filter((each) => each === name).length} ${CLASSES[name]}`);
  const place = commonDirectory(paths);
  return `reads ${classes.join(" and ")} files${place === "/" ? "" : `, in ${place}`}`;
}

function violationRow(violation: Violation, { processes }: Context): Row {
  const who = violation.pid === 0 ? null : processes.of(violation);
  const style = violation.action === "DENIED" ? ("red" as const) : ("yellow" as const);
  return { at: violation.t_us ?? 0, who, what: describeViolation(violation), style, times: 1, violation };
}

function rowOf(each: Activity, who: Process | null, context: Context): Row | null {
  const row = (what: string, more: Partial<Row> = {}): Row => ({ at: each.t_us, who, what, times: 1, ...more });
  switch (each.kind) {
    case "exec":
      if (each.errno !== null) return row(`cannot run ${shortPath(each.path)}: ${each.errno}`, { style: MISSING.includes(each.errno) ? "dim" : "yellow" });
      return row(`runs ${execWords(each)}`, { style: "cyan" });
    case "fork":
      return row(`starts process ${context.processes.of({ pid: each.child, comm: each.comm }).number}`, { style: "dim" });
    case "exit":
      if (each.signal !== null) return row(`is ended by ${each.signal}`, { style: "yellow" });
      return row(each.code === null ? "ends" : `exits with ${each.code}`, { style: each.code ? "yellow" : "dim" });
    case "open":
      return row(openWords(each), each.errno === null ? {} : { style: "yellow" });
    case "connect":
    case "bind":
    case "send":
      return row(
        `${NETWORK[each.kind]} ${addressWords(each.to, context.hosts)}${each.errno === null || each.errno === "EINPROGRESS" ? "" : `: ${each.errno}${UNREACHABLE.includes(each.errno) ? ", it has no way out" : ""}`}`,
        {
          style: each.errno === null || each.errno === "EINPROGRESS" ? "cyan" : "yellow",
        },
      );
    case "dns": {
      const violation = reasonOfName(context.violations, each);
      const what = `asks for ${each.name} (${each.type})${each.answer === "denied" ? ": no name of this policy" : ""}`;
      return row(what, { style: each.answer === "denied" ? "yellow" : "cyan", ...(violation ? { violation } : {}) });
    }
    case "denied": {
      const denial = context.denials.find(({ call, path, errno }) => call === each.call && path === each.path && errno === each.errno);
      return row("", { style: "red", denial: denial ?? deniedAlone(each) });
    }
  }
}

const UNREACHABLE = ["ENETUNREACH", "EHOSTUNREACH"];
const NETWORK = { connect: "connects to", bind: "listens on", send: "sends to" } as const;

/** Beyond the list of denials: there is its line in the timeline and nothing else. */
function deniedAlone({ call, path, errno, rule, ...rest }: Of<"denied">): Denial {
  const known = errno === "EPERM" || errno === "EROFS" ? errno : "EACCES";
  const { t_us, pid, comm } = rest;
  return {
    t_us,
    pid,
    comm,
    exe: "",
    call,
    number: -1,
    abi: "native",
    arguments: ["0x0", "0x0", "0x0", "0x0", "0x0", "0x0"],
    errno: known,
    path,
    to: null,
    count: 1,
    stack: null,
    rule,
    hint: null,
  };
}

function execWords({ path, argv, argv_truncated }: Of<"exec">): string {
  const words = commandLine(argv);
  const cut = argv_truncated ? " …" : "";
  const name = argv[0] ?? "";
  return name === path || path.endsWith(`/${name}`) ? `${words.replace(name, path)}${cut}` : `${path} as ${words}${cut}`;
}

function openWords({ path, access, create, truncate, errno }: Of<"open">): string {
  const verb = { read: "reads", write: "writes", readwrite: "reads and writes", path: "looks at" }[access];
  const how = [...(create ? ["made if missing"] : []), ...(truncate ? ["emptied"] : [])];
  return `${verb} ${shortPath(path)}${how.length > 0 ? ` (${how.join(", ")})` : ""}${errno === null ? "" : `: ${errno}`}`;
}

const deniedKey = (pid: number, path: string | null, errno: string): string => JSON.stringify([pid, path, errno]);

/** A call that was denied is told as such, with its reason. */
function isToldAsDenied(each: Activity, denied: ReadonlySet<string>): boolean {
  if (!("errno" in each) || each.kind === "denied" || each.errno === null || !DENIED.includes(each.errno)) return false;
  return denied.has(deniedKey(each.pid, "path" in each ? each.path : null, each.errno));
}

function push(rows: Row[], row: Row): void {
  const last = rows.at(-1);
  if (last && last.who === row.who && last.what === row.what && last.denial === row.denial && last.style === row.style) last.times++;
  else rows.push(row);
}
