import { statfsSync } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { type Confinement, noTelemetry, type RunResult, type RunSpec } from "@plastron/contracts";
import type { Control, Output } from "../../driver.ts";
import { type Collected, collectArtifacts } from "./artifacts.ts";
import { type CgroupCounters, type CgroupHost, makeCgroup } from "./cgroup.ts";
import { type Launched, launch, OVERHEAD_PIDS } from "./launch.ts";
import { INTERPRETER, PROGRAM_FILE, WORKSPACE } from "./layout.ts";
import type { Mask } from "./masks.ts";
import { outcomeOf } from "./outcome.ts";
import { stage, workspaceFiles } from "./staging.ts";
import { untilStarted, type Watched, watch } from "./watch.ts";

/** What every run of one driver shares. */
export interface Host {
  home: string;
  cgroups: CgroupHost;
  /** The one directory name below which this driver makes its cgroups. */
  cgroupParent: string;
  /** The host uid of a place, or 0 where this process is not root and has only its own. */
  uidOf(place: number): number;
  masksFor(confinement: Confinement): Promise<Mask[]>;
}

const UNCOUNTED: CgroupCounters = { oomKills: 0, pidsRefused: 0, memoryPeakBytes: null, cpuMs: null };

/** The result of a run that its caller took back while it waited for a place. */
export function takenBack(spec: RunSpec, reason: string): RunResult {
  const watched = { end: { ended: { by: "caller" as const, reason }, bubblewrapCode: null, waitStatus: null }, wallMs: 0 };
  return { ...resultOf(spec, watched, [false, false], UNCOUNTED, { artifacts: [], incomplete: false, full: false }, {}), signal: null };
}

/** One program in one new sandbox, of which nothing is left when this settles. Errors: sandbox_failed, invalid_request. */
export async function runOnce(host: Host, place: number, spec: RunSpec, output: Output, control: Control = {}): Promise<RunResult> {
  const clock = phaseClock();
  const masks = await host.masksFor(spec.confinement);
  const cgroup = host.cgroups.kind === "none" ? null : makeCgroup(host.cgroups, host.cgroupParent, `run-${place}`, spec.limits, OVERHEAD_PIDS);
  let box: Launched | undefined;
  try {
    clock.mark("prepare");
    box = start(host, place, spec, masks, cgroup?.joins ?? []);
    if (await untilStarted(box, control.signal)) {
      clock.mark("start");
      output.started?.();
      feed(box, spec, control);
    }
    const watched = await watch(box, spec.limits, output, control);
    clock.mark("program");
    const left = lookInside(box, watched, spec.collect);
    // The launcher still carries output to us: it may go only when all has come.
    const cut = await watched.drained;
    await box.release();
    clock.mark("collect");
    return resultOf(spec, watched, cut, cgroup?.read() ?? UNCOUNTED, left, clock.us);
  } finally {
    box?.kill();
    await box?.release();
    await cgroup?.remove();
  }
}

function start(host: Host, place: number, spec: RunSpec, masks: Mask[], joins: string[]): Launched {
  const staging = stage(host.home, workspaceFiles(spec), spec.confinement.seccomp);
  try {
    return launch({
      hostUid: host.uidOf(place),
      runtime: spec.runtime,
      limits: spec.limits,
      noexecWritable: spec.confinement.noexec_writable,
      joins,
      contents: { confinement: spec.confinement, masks, env: spec.env, shown: [] },
      staging,
      command: [...INTERPRETER[spec.runtime], `${WORKSPACE}/${PROGRAM_FILE[spec.runtime]}`, ...spec.args],
      reporter: masks.some((mask) => mask.path === "/usr/bin/perl") ? "python3" : "perl",
    });
  } finally {
    staging.close();
  }
}

function feed(box: Launched, spec: RunSpec, control: Control): void {
  const source = control.stdin ? Readable.from(control.stdin, { objectMode: false }) : Readable.from([Buffer.from(spec.stdin)]);
  // A program that ends, or closes its input, before reading all of it has done nothing wrong.
  pipeline(source, box.stdin, () => {});
}

/** What is left in the workspace, where the launcher still holds it. */
function lookInside(box: Launched, { end }: Watched, globs: string[]): Collected & { full: boolean } {
  if (end.bubblewrapCode === null) return { artifacts: [], incomplete: false, full: false };
  const { bavail, ffree } = statfsSync(box.workspace);
  return { ...collectArtifacts(box.workspace, globs), full: bavail === 0 || ffree === 0 };
}

function resultOf(
  spec: RunSpec,
  { end, wallMs }: Pick<Watched, "end" | "wallMs">,
  [stdoutTruncated, stderrTruncated]: [boolean, boolean],
  counted: CgroupCounters,
  left: Collected & { full: boolean },
  phases_us: Record<string, number>,
): RunResult {
  const { oomKills, pidsRefused, memoryPeakBytes, cpuMs } = counted;
  const seen = { ...end, oomKills, pidsRefused, stdoutTruncated, stderrTruncated, workspaceFull: left.full, artifactsIncomplete: left.incomplete };
  return {
    ...outcomeOf(seen, spec.limits),
    stdout: "",
    stderr: "",
    stdout_truncated: stdoutTruncated,
    stderr_truncated: stderrTruncated,
    usage: { wall_ms: wallMs, cpu_ms: cpuMs, memory_peak_bytes: memoryPeakBytes, context_switches: null },
    artifacts: left.artifacts,
    violations: [],
    violations_dropped: 0,
    telemetry: noTelemetry("the bubblewrap driver has no sensor"),
    broken_by: null,
    sandbox: { driver: "bubblewrap", tier: 2, start: "cold", source: "process", confinement: spec.confinement.id },
    phases_us,
  };
}

function phaseClock(): { us: Record<string, number>; mark(phase: string): void } {
  const us: Record<string, number> = {};
  let last = performance.now();
  return {
    us,
    mark(phase) {
      const now = performance.now();
      us[phase] = Math.round((now - last) * 1000);
      last = now;
    },
  };
}
