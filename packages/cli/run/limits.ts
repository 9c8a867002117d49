import type { Limits, RateRules } from "@plastron/contracts";
import { usage } from "../failure.ts";

/** Name on the command line → field of the request, and how its value is written. */
const NAMES = {
  memory: { field: "memory_bytes", parse: parseSize },
  output: { field: "output_bytes", parse: parseSize },
  workspace: { field: "workspace_bytes", parse: parseSize },
  wall: { field: "wall_ms", parse: parseDuration },
  pids: { field: "pids", parse: parseCount },
  files: { field: "open_files", parse: parseCount },
  cpus: { field: "cpus", parse: parseRate },
} as const satisfies Record<string, { field: Exclude<keyof Limits, "rates">; parse: (text: string) => number | null }>;

/** Rules on how fast it may do something; `none` is no such rule. */
const RATES = {
  "connections-per-s": { field: "connections_per_s", parse: parseCount },
  "forks-per-s": { field: "forks_per_s", parse: parseCount },
  "denied-per-s": { field: "denied_per_s", parse: parseCount },
  "bytes-out": { field: "bytes_out", parse: parseSize },
} as const satisfies Record<string, { field: keyof RateRules; parse: (text: string) => number | null }>;

/** What `--limit` says: as a request takes it. */
export type GivenLimits = Partial<Omit<Limits, "rates">> & { rates?: Partial<RateRules> };

/**
 * `["memory=256m", "wall=10s", "forks-per-s=none"]` → `{memory_bytes: 268435456, wall_ms: 10000, rates: {forks_per_s: null}}`. What is
 * not named keeps the server's default, and the server checks the ranges. Throws Failure invalid_request that names the part.
 */
export function parseLimits(given: string[]): GivenLimits {
  const limits: GivenLimits = {};
  for (const text of given.flatMap((item) => item.split(","))) {
    const at = text.indexOf("=");
    const name = at < 0 ? text : text.slice(0, at);
    const isRate = Object.hasOwn(RATES, name);
    if (at < 0 || (!isRate && !Object.hasOwn(NAMES, name)))
      throw usage(`--limit ${text} is not known`, `Use NAME=VALUE with ${[...Object.keys(NAMES), ...Object.keys(RATES)].join(", ")}.`);
    const written = text.slice(at + 1);
    if (isRate) {
      const { field, parse } = RATES[name as keyof typeof RATES];
      limits.rates = { ...limits.rates, [field]: written === "none" ? null : readable(text, parse(written)) };
    } else {
      const { field, parse } = NAMES[name as keyof typeof NAMES];
      limits[field] = readable(text, parse(written));
    }
  }
  return limits;
}

function readable(text: string, value: number | null): number {
  if (value === null) throw usage(`--limit ${text} has a value that cannot be read`, "For example memory=256m, wall=10s, cpus=0.5, pids=50, forks-per-s=100.");
  return value;
}

const BYTES: Record<string, number> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** `256m`, `256MiB`, `1.5g`, `1048576`: powers of 1024, in bytes. Null where it is no size. */
export function parseSize(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)\s*([bkmg]?)(?:i?b)?$/i.exec(text);
  if (!parts) return null;
  return Math.round(Number(parts[1]) * (BYTES[(parts[2] as string).toLowerCase()] as number));
}

const MS: Record<string, number> = { ms: 1, s: 1000, "": 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `10s`, `1500ms`, `2m`, `1.5` (seconds), in milliseconds. Null where it is no duration. */
export function parseDuration(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?)(ms|s|min|m|h|)$/.exec(text);
  if (!parts) return null;
  return Math.round(Number(parts[1]) * (MS[parts[2] as string] as number));
}

function parseCount(text: string): number | null {
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function parseRate(text: string): number | null {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : null;
}
