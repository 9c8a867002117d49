import type { Telemetry } from "@plastron/contracts";

type Files = ReadonlyMap<string, string>;
type Resources = Telemetry["resources"];

/**
 * The kernel's counters of a sandbox over one run: its cgroup's files (cgroups.ts, by their names there) at the end less those at
 * the beginning. The peak of memory is the sandbox's, with its interpreter; the rest is the run's own.
 */
export function resourcesOf(files: Files, before: Files): Resources {
  const since = (name: string, read: (text: string) => number | null): number | null => {
    const [now, then] = [files.get(name), before.get(name)].map((text) => (text === undefined ? null : read(text)));
    return now === null || now === undefined ? null : Math.max(0, Math.round(now - (then ?? 0)));
  };
  const stalled = (kind: "cpu" | "memory" | "io") => since(`${kind}.pressure`, stall);
  return { memory: memoryOf(files, since, stalled("memory")), cpu: cpuOf(since, stalled("cpu")), io: ioOf(since, stalled("io")) };
}

type Since = (name: string, read: (text: string) => number | null) => number | null;

function memoryOf(files: Files, since: Since, stalled_us: number | null): Resources["memory"] {
  const peak = files.get("memory_peak");
  if (peak === undefined) return null;
  return { peak_bytes: Number(peak), failures: since("memory_failures", Number) ?? since("oom", keyed("max")), stalled_us };
}

function cpuOf(since: Since, stalled_us: number | null): Resources["cpu"] {
  const user_us = since("cpu.stat", keyed("user_usec"));
  const system_us = since("cpu.stat", keyed("system_usec"));
  if (user_us === null || system_us === null) return null;
  const nanoseconds = since("throttle", keyed("throttled_time"));
  return { user_us, system_us, throttled_us: nanoseconds === null ? since("throttle", keyed("throttled_usec")) : Math.round(nanoseconds / 1000), stalled_us };
}

function ioOf(since: Since, stalled_us: number | null): Resources["io"] {
  const read_bytes = since("io_v1", sumOf(/ Read (\d+)$/gm)) ?? since("io_v2", sumOf(/ rbytes=(\d+)/g));
  const write_bytes = since("io_v1", sumOf(/ Write (\d+)$/gm)) ?? since("io_v2", sumOf(/ wbytes=(\d+)/g));
  return read_bytes === null || write_bytes === null ? null : { read_bytes, write_bytes, stalled_us };
}

/** Microseconds in which at least one task waited: `some avg10=… total=N`. */
const stall = (text: string): number | null => numberIn(/^some .*total=(\d+)/m.exec(text));

const keyed =
  (key: string) =>
  (text: string): number | null =>
    numberIn(new RegExp(`^${key} (\\d+)`, "m").exec(text));

const numberIn = (found: RegExpExecArray | null): number | null => (found ? Number(found[1]) : null);

const sumOf =
  (pattern: RegExp) =>
  (text: string): number =>
    [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
