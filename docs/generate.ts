/**
 * Writes the reference pages that are made from the contracts: `node docs/generate.ts`. A test compares them with what this makes.
 * docs/reference/errors.md: the error registry. docs/reference/limits.md: the limits' schema. docs/reference/telemetry.md: the account's.
 * docs/reference/rules.md: rules/code. docs/reference/secret-detectors.md: rules/secrets. docs/reference/agentware-rules.md: rules/agentware.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERRORS, limitsSchema, rateRulesSchema } from "@plastron/contracts";
import { z } from "zod";
import { agentwareRuleLines } from "./agentware-rules-page.ts";
import { ruleLines } from "./rules-page.ts";
import { secretDetectorLines } from "./secret-detectors-page.ts";
import { telemetryLines } from "./telemetry-page.ts";

/** Path under docs/ → content. */
export function pages(): Record<string, string> {
  return {
    "reference/errors.md": errorsPage(),
    "reference/limits.md": limitsPage(),
    "reference/telemetry.md": page("Telemetry", ...telemetryLines()),
    "reference/agentware-rules.md": page("Rules for skills, servers and plugins", ...agentwareRuleLines()),
    "reference/rules.md": page("Rules on code", ...ruleLines()),
    "reference/secret-detectors.md": page("Secret detectors", ...secretDetectorLines()),
  };
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, exit, title, hint }]) => `| \`${code}\` | ${status} | ${exit} | ${cell(title)} | ${cell(hint)} |`);
  return page(
    "Errors",
    "Errors of the API are problem documents (RFC 9457, `application/problem+json`) with `type`, `title`, `status`, `code`, `detail` and `hint`; wrong fields are",
    "listed in `errors` with their path, and line and column in a policy. `code` is stable: compare that. The command line prints the same and exits with the number below.",
    "",
    "| code | HTTP status | exit code | meaning | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  );
}

const MEANING: Record<Exclude<keyof z.infer<typeof limitsSchema>, "rates">, { flag: string; what: string; hit: string }> = {
  memory_bytes: { flag: "memory", what: "memory of all processes, and of files on tmpfs, in bytes", hit: "`memory_exceeded`" },
  pids: { flag: "pids", what: "processes and threads at once", hit: "`pids_exceeded` where the program failed by it" },
  cpus: { flag: "cpus", what: "cores' worth of time for each second of wall clock", hit: "the program becomes slower" },
  wall_ms: { flag: "wall", what: "time from start to end, in milliseconds", hit: "`timed_out`" },
  output_bytes: { flag: "output", what: "each of standard output and standard error, in bytes", hit: "`output_truncated`; the rest is dropped" },
  workspace_bytes: { flag: "workspace", what: "files in the workspace, in bytes", hit: "`workspace_exceeded` where the program failed by it" },
  open_files: { flag: "files", what: "open file descriptors of a process", hit: "the program's `open` fails" },
};

const RATES: Record<keyof z.infer<typeof rateRulesSchema>, string> = {
  connections_per_s: "connects to internet addresses in a second, also those refused",
  forks_per_s: "new processes in a second; threads are not counted",
  denied_per_s: "calls answered EPERM, EACCES or EROFS in a second",
  bytes_out: "bytes sent to the network over the whole run",
};

function limitsPage(): string {
  const rateDefaults = rateRulesSchema.parse({});
  const { properties = {} } = z.toJSONSchema(limitsSchema, { io: "input" });
  const rows = Object.entries(MEANING).map(([field, { flag, what, hit }]) => {
    const { default: value, minimum, maximum } = properties[field] as { default: number; minimum: number; maximum: number };
    return `| \`${field}\` | \`${flag}\` | ${what} | ${number(field, value)} | ${number(field, minimum)} – ${number(field, maximum)} | ${hit} |`;
  });
  return page(
    "Limits",
    "Every run has all of them. A request sets those it wants to change in `limits`; the command line with `--limit NAME=VALUE` (sizes like `256m`, times like `10s`).",
    "A limit that was hit is reported as itself, in `status` and `limits_hit`, and not only by how the program ended.",
    "",
    "| field | `--limit` | of what | default | range | when it is hit |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "A run that does something faster than `limits.rates` allow is frozen, the stacks of its processes are taken, and it is killed: `broken_by_rule`. `null` is no",
    "such rule. They need the sensor: where it cannot look, `telemetry.level` of the run says so.",
    "",
    "| field of `rates` | `--limit` | of what | default |",
    "| --- | --- | --- | --- |",
    ...Object.entries(RATES).map(
      ([field, what]) => `| \`${field}\` | \`${field.replaceAll("_", "-")}\` | ${what} | ${rateDefaults[field as keyof typeof RATES]} |`,
    ),
    "",
    "Without cgroups (no root, or a host that has none) memory, processes and cpu are limited by rlimits only, for each process: `plastron doctor` says so.",
    "",
    "Requests are limited too: 4 MiB of code, 16 MiB of standard input, 256 arguments, 256 files in, 32 globs of files out, 16 imports.",
  );
}

function page(title: string, ...lines: string[]): string {
  return [`# ${title}`, "", "<!-- Made by docs/generate.ts; edits are lost. -->", "", ...lines, ""].join("\n");
}

/** 536870912 bytes → "512 MiB", 5000 ms → "5 s". */
function number(field: string, value: number): string {
  const units: [number, string][] = field.endsWith("_bytes")
    ? [
        [2 ** 30, "GiB"],
        [2 ** 20, "MiB"],
        [2 ** 10, "KiB"],
      ]
    : field.endsWith("_ms")
      ? [
          [60_000, "min"],
          [1000, "s"],
          [1, "ms"],
        ]
      : [];
  const [size, unit] = units.find(([size]) => value >= size && value % size === 0) ?? [1, ""];
  return `${value / size} ${unit}`.trim();
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

if (import.meta.main) for (const [path, content] of Object.entries(pages())) writeFileSync(join(import.meta.dirname, path), content);
