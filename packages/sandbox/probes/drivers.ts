import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Confinement, DEFAULT_LIMITS, type DoctorReport, NO_RULES, newId, PLAIN, type RunSpec, type Tier } from "@plastron/contracts";
import type { SandboxDriver } from "../driver.ts";
import { guestsGroup } from "../drivers/gvisor/index.ts";
import { type DriverName, openDriver } from "../open.ts";
import { type Finding, messageOf, missing, type Probe, working } from "./probe.ts";

/** Apart from the uids of an agent that may be running here at the same time. */
const UID_BASE = 1_980_000_000;
const NAMES: DriverName[] = ["local", "bubblewrap", "gvisor"];
/** What a driver that did not work would have given: the row says it all the same. */
export const TIERS: Record<DriverName, Tier> = { local: 2, bubblewrap: 2, gvisor: 3 };
const REMEDIES: Record<DriverName, (isRoot: boolean) => string> = {
  local: (isRoot) =>
    isRoot
      ? "apt-get install gcc libc6-dev, then ./plastron up compiles the native parts; the controls above say what else it needs."
      : "Run as root (or with sudo): only root can give each sandbox a uid and a cgroup of its own.",
  bubblewrap: () => "apt-get install bubblewrap (0.8.0 or later).",
  gvisor: (isRoot) => (isRoot ? "apt-get install runsc, or a current one from gVisor's release page; docs/guides/gvisor.md." : "Run as root (or with sudo)."),
};

/** How to get a driver that did not work for this user. */
export const remedyFor = (name: DriverName, isRoot: boolean): string => REMEDIES[name](isRoot);

/** What a program in a driver's sandbox said of itself, and what was seen of it from the host meanwhile. */
interface Inside {
  uidMap: string;
  coreWritten: boolean;
  descriptors: string[];
  hostUid: number | null;
}

/** How long the program is looked for. */
const LOOK_MS = 3000;

export type DriverRow = DoctorReport["drivers"][number];
type Look = { row: DriverRow; inside: Inside | null };

/**
 * Opens each driver for real, runs a program in it and looks at that program from both sides. Each driver is opened once for
 * all its probes. `rows` is complete once every probe has ended.
 */
export function driverProbes(): { probes: Probe[]; rows: () => DriverRow[] } {
  const looks = new Map(NAMES.map((name) => [name, once(() => lookInto(name))]));
  const rows: DriverRow[] = [];
  const probes = NAMES.flatMap((name): Probe[] => {
    const look = looks.get(name) as () => Promise<Look>;
    return [
      {
        id: `driver-${name}`,
        title: `The ${name} driver runs a program`,
        required: false,
        timeoutMs: 9000,
        try: async () => usable(name, (await look()).row, rows),
      },
      { id: `${name}-uid`, title: `${name}: the program is not the kernel's uid 0`, required: false, timeoutMs: 9000, try: async () => uid(await look()) },
      {
        id: `${name}-core-pattern`,
        title: `${name}: core_pattern cannot be written`,
        required: false,
        timeoutMs: 9000,
        try: async () => corePattern(await look()),
      },
      { id: `${name}-descriptors`, title: `${name}: no inherited descriptor`, required: false, timeoutMs: 9000, try: async () => descriptors(await look()) },
    ];
  });
  return { probes, rows: () => rows };
}

function usable(name: DriverName, row: DriverRow, rows: DriverRow[]): Finding {
  rows.push(row);
  return row.usable ? working(`it gives tier ${row.tier}`) : missing(row.why ?? "", remedyFor(name, process.geteuid?.() === 0));
}

function uid({ row, inside }: Look): Finding {
  if (!inside) return missing(`nothing to look at: no program ran in the ${row.name} driver`);
  if (inside.hostUid === null) return missing("the program was not found among the host's processes");
  const seen = `uid_map inside "${inside.uidMap}", kernel uid ${inside.hostUid}`;
  return inside.hostUid === 0 ? missing(seen, "Do not use this driver here: a program in it is the host's root.") : working(seen);
}

function corePattern({ row, inside }: Look): Finding {
  if (!inside) return missing(`nothing to look at: no program ran in the ${row.name} driver`);
  return inside.coreWritten
    ? missing("a program opened it for writing", "Do not use this driver here: a crash would run the program's choice as root.")
    : working("refused");
}

function descriptors({ row, inside }: Look): Finding {
  if (!inside) return missing(`nothing to look at: no program ran in the ${row.name} driver`);
  const extra = inside.descriptors.filter((fd) => !["0", "1", "2"].includes(fd));
  return extra.length === 0 ? working("0, 1 and 2 only") : missing(`also ${extra.join(", ")}`);
}

async function lookInto(name: DriverName): Promise<Look> {
  const home = mkdtempSync(join(tmpdir(), "plastron-doctor-"));
  let driver: SandboxDriver | undefined;
  try {
    driver = await openDriver({ home, uidBase: UID_BASE, maxRunning: 2, maxQueued: 2, warm: [] }, name);
    const inside = await look(driver, name === "gvisor" ? () => kernelUidInGroup(guestsGroup(home)) : kernelUidOf);
    return { row: { name, tier: driver.tier, usable: true, why: null }, inside };
  } catch (error) {
    return { row: { name, tier: TIERS[name], usable: false, why: messageOf(error) }, inside: null };
  } finally {
    await driver?.close();
    rmSync(home, { recursive: true, force: true });
  }
}

async function look(driver: SandboxDriver, kernelUid: (marker: string) => number | null): Promise<Inside> {
  const marker = `plastron-doctor-${newId("run")}`;
  let said = "";
  const waits = Promise.withResolvers<void>();
  const hostUid = waits.promise.then(() => firstOf(() => kernelUid(marker)));
  const output = {
    stdout(chunk: Uint8Array) {
      said += Buffer.from(chunk).toString();
      if (said.includes("waiting")) waits.resolve();
    },
    stderr() {},
  };
  const result = await driver.run(spec(marker), output, { stdin: nothingUntil(hostUid) });
  waits.resolve();
  if (result.status !== "completed")
    throw new Error(`a program in it ended as ${result.status}, exit code ${result.exit_code}, ${result.signal ?? "no signal"}`);
  const [uidMap = "", core = "", fds = ""] = said.split("\n");
  return { uidMap: uidMap.trim().replace(/\s+/g, " "), coreWritten: core === "open", descriptors: fds.split(" ").filter(Boolean), hostUid: await hostUid };
}

/** The program says that it waits before it has its name. */
async function firstOf(look: () => number | null): Promise<number | null> {
  for (const end = performance.now() + LOOK_MS; performance.now() < end; await sleep(10)) {
    const uid = look();
    if (uid !== null) return uid;
  }
  return null;
}

async function* nothingUntil(then: Promise<unknown>): AsyncGenerator<Uint8Array> {
  await then;
  yield new Uint8Array();
}

/** Opening for append proves the right to write without writing. */
function spec(marker: string): RunSpec {
  const code = [
    "cat /proc/self/uid_map",
    "if (: >>/proc/sys/kernel/core_pattern) 2>/dev/null; then echo open; else echo shut; fi",
    // 255 is bash's own script; the one that listed the directory is closed again when it is asked for.
    "for fd in /proc/$$/fd/*; do [ -e $fd ] && [ $fd != /proc/$$/fd/255 ] && printf '%s ' $(basename $fd); done; echo",
    `echo waiting; exec -a ${marker} cat`, // until it was looked at
  ].join("\n");
  const program = { runtime: "bash" as const, code, args: [], env: {}, stdin: "", files: [], collect: [], imports: [], limits: DEFAULT_LIMITS };
  return { ...PLAIN, ...program, run_id: newId("run"), tenant: "doctor", confinement: OPEN, min_tier: 1 };
}

/** Namespaces, capabilities and uids are the driver's own doing and hold without any policy. */
const OPEN: Confinement = { ...NO_RULES, id: "0".repeat(64), policy: "doctor" };

function kernelUidOf(marker: string): number | null {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith(marker)) continue;
      const uid = readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\t(\d+)/m);
      return uid ? Number(uid[1]) : null;
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

/** A guest's programs are no processes of the host: what counts is whose its kernel's and its gofer's are. The lowest. */
function kernelUidInGroup(group: string): number | null {
  const uids = readdirSync("/proc").flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(group)) return [];
      return [Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^Uid:\t(\d+)/m)?.[1])];
    } catch {
      return []; // it ended while we looked
    }
  });
  return uids.length === 0 ? null : Math.min(...uids);
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
