/**
 * `npm run bench -- [AREA] [flags]`, or `./plastron bench`: measures, and prints what it found beside its peers of the same run.
 * Exit 0 when the bench could measure, whatever it measured; 1 when it could not; 2 for a wrong flag. docs/reference/benchmarks.md
 */
import { parseArgs } from "node:util";
import { benchFuzz, printFuzz } from "./fuzz/index.ts";
import { benchGvisor } from "./gvisor/index.ts";
import { printGvisor } from "./gvisor/print.ts";
import { measureHands, printHands } from "./hands/index.ts";
import { benchPolicy } from "./policy/index.ts";
import { printPolicyReport } from "./policy/print.ts";
import { benchPrecision } from "./precision/index.ts";
import { printPrecision } from "./precision/print.ts";
import { startProgress } from "./progress.ts";
import { type Around, benchSandbox } from "./sandbox/index.ts";
import type { Endpoint } from "./sandbox/platform.ts";
import { printReport } from "./sandbox/print.ts";
import { type SandboxSettings, sandboxSettings } from "./sandbox/settings.ts";
import { benchScan } from "./scan/index.ts";
import { printScan } from "./scan/print.ts";
import { benchSensor } from "./sensor/index.ts";
import { printSensorReport } from "./sensor/print.ts";
import { measureStacks, printStacks } from "./stacks/index.ts";

const USAGE = `usage: npm run bench -- [sandbox | gvisor | policy | sensor | stacks | hands | scan | precision | fuzz] [--quick] [--json] [--runs N] [--url URL --key KEY] [--dify-url URL --dify-key KEY]

  --quick      a look in about fifteen seconds: it works, but do not judge by it
  --json       one JSON document instead of tables
  --runs N     runs of each latency (default 200)
  --url        a Plastron that runs already; without it the bench starts one of its own on a fresh home and stops it
  --dify-url   any other server that speaks Dify's code-execution API, measured in turn with ours`;

/** What can be measured: a report for `--json`, and the same as lines. */
const AREAS: Record<string, (settings: SandboxSettings, around: Around) => Promise<{ report: object; lines: string[] }>> = {
  sandbox: async (settings, around) => {
    const report = await benchSandbox(settings, around);
    return { report, lines: printReport(report) };
  },
  gvisor: async (settings, around) => {
    const report = await benchGvisor(settings, around);
    return { report, lines: printGvisor(report) };
  },
  policy: async ({ quick }, { say: tell }) => {
    const report = benchPolicy(quick, tell);
    return { report, lines: printPolicyReport(report) };
  },
  sensor: async ({ quick }, { say: tell }) => {
    const report = await benchSensor(quick, tell);
    return { report, lines: printSensorReport(report) };
  },
  hands: async ({ quick }, { say: tell }) => {
    const report = await measureHands(quick, tell);
    return { report, lines: printHands(report) };
  },
  scan: async ({ quick }, { say: tell }) => {
    const report = await benchScan(quick, tell);
    return { report, lines: printScan(report) };
  },
  precision: async ({ quick }, { say: tell }) => {
    const report = benchPrecision(quick, tell);
    return { report, lines: printPrecision(report) };
  },
  fuzz: async ({ quick }, { say: tell }) => {
    const report = await benchFuzz(quick, tell);
    return { report, lines: printFuzz(report) };
  },
  stacks: async ({ quick }, { say: tell }) => {
    const report = await measureStacks(quick, tell);
    return { report, lines: printStacks(report) };
  },
};

class UsageError extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const progress = startProgress();
  const held = new Set<() => Promise<void>>();
  const interrupted = () => void Promise.allSettled([...held].map((undo) => undo())).then(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    const options = readOptions(args);
    if (options === "help") return say(process.stdout, USAGE, 0);
    const { report, lines } = await options.measure(options.settings, { say: progress.say, holds: (undo) => hold(held, undo) });
    progress.done();
    return say(process.stdout, options.json ? JSON.stringify(report, null, 2) : lines.join("\n"), 0);
  } catch (error) {
    progress.done();
    if (error instanceof UsageError) return say(process.stderr, `${error.message}\n\n${USAGE}`, 2);
    return say(process.stderr, `the bench failed: ${error instanceof Error ? error.message : String(error)}`, 1);
  }
}

function hold(held: Set<() => Promise<void>>, undo: () => Promise<void>): () => Promise<void> {
  let undone: Promise<void> | undefined;
  const once = () => {
    undone ??= undo().finally(() => held.delete(once));
    return undone;
  };
  held.add(once);
  return once;
}

function say(stream: NodeJS.WritableStream, text: string, code: number): number {
  stream.write(`${text}\n`);
  return code;
}

function readOptions(args: string[]): { json: boolean; settings: SandboxSettings; measure: (typeof AREAS)[string] } | "help" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  const [area = "sandbox", ...rest] = positionals;
  const measure = AREAS[area];
  if (measure === undefined || rest.length > 0) throw new UsageError(`there is no benchmark ${[area, ...rest].join(" ")}`);
  if (values.runs !== undefined && !/^[1-9]\d{0,5}$/.test(values.runs)) throw new UsageError("--runs takes a number of at least 1");
  const settings = sandboxSettings({
    quick: values.quick ?? false,
    runs: values.runs === undefined ? null : Number(values.runs),
    target: endpoint("--url", values.url, "--key", values.key),
    peer: endpoint("--dify-url", values["dify-url"], "--dify-key", values["dify-key"]),
  });
  return { json: values.json ?? false, settings, measure };
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = { help: { ...flag, short: "h" }, quick: flag, json: flag, runs: text, url: text, key: text, "dify-url": text, "dify-key": text } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function endpoint(urlFlag: string, url: string | undefined, keyFlag: string, key: string | undefined): Endpoint | null {
  if (url === undefined && key === undefined) return null;
  if (url === undefined || key === undefined) throw new UsageError(`${urlFlag} and ${keyFlag} go together`);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) throw new UsageError(`${urlFlag} takes an address such as http://127.0.0.1:7300`);
  return { url, key };
}
