import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Measured, quantile, round } from "../measure.ts";

/** Nanoseconds of one call, by what is loaded. */
export interface CallCost {
  none_ns: number;
  ours_ns: number;
  linear_ns: number;
  ours_added_ns: number;
  linear_added_ns: number;
  ours_to_linear: number | null;
}

/** getpid is allowed whatever its arguments, so Linux 5.11 and later look its answer up and run no filter; ioctl has conditions: its filter runs. */
export interface Overhead {
  getpid: CallCost;
  ioctl: CallCost;
}

interface Settings {
  calls: number;
  rounds: number;
  turns: number;
}

/**
 * A small C program without a filter, under ours and under the list, taking turns so that a moment of load falls on all of them. A
 * median of all rounds each.
 */
export function measureOverhead(filters: { ours: Uint8Array; linear: Uint8Array }, settings: Settings): Measured<Overhead> {
  const folder = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  try {
    const program = join(folder, "loop");
    const built = spawnSync("cc", ["-O2", "-o", program, join(import.meta.dirname, "loop.c")], { encoding: "utf8" });
    if (built.status !== 0) return { unavailable: `the loop could not be compiled: ${(built.stderr || built.error?.message || "").trim().split("\n")[0]}` };
    const samples = { none: empty(), ours: empty(), linear: empty() };
    for (const name of ["ours", "linear"] as const) writeFileSync(join(folder, name), filters[name]);
    for (let turn = 0; turn < settings.turns; turn++) {
      for (const name of ["none", "ours", "linear"] as const) {
        const filter = name === "none" ? [] : [join(folder, name)];
        const ran = spawnSync(program, [String(settings.calls), String(settings.rounds), ...filter], { encoding: "utf8", timeout: 60_000 });
        if (ran.status !== 0) return { unavailable: `the loop failed (${name}): ${ran.stderr.trim() || ran.signal}` };
        for (const line of ran.stdout.trim().split("\n")) {
          const [getpid, ioctl] = line.split(" ").map(Number);
          samples[name].getpid.push(getpid as number);
          samples[name].ioctl.push(ioctl as number);
        }
      }
    }
    return { getpid: costOf(samples, "getpid"), ioctl: costOf(samples, "ioctl") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Samples = Record<"getpid" | "ioctl", number[]>;

const empty = (): Samples => ({ getpid: [], ioctl: [] });

function costOf(samples: Record<"none" | "ours" | "linear", Samples>, call: keyof Samples): CallCost {
  const [none, ours, linear] = (["none", "ours", "linear"] as const).map((name) => quantile(samples[name][call], 0.5)) as [number, number, number];
  const [oursAdded, linearAdded] = [ours - none, linear - none];
  return {
    none_ns: round(none),
    ours_ns: round(ours),
    linear_ns: round(linear),
    ours_added_ns: round(oursAdded),
    linear_added_ns: round(linearAdded),
    ours_to_linear: linearAdded > 0 ? round(oursAdded / linearAdded) : null,
  };
}
