/** The whole bench, with few runs: every part of it works and every figure is where docs/reference/benchmarks.md says it is. */
import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { isMeasured, type Measured } from "../measure.ts";
import { printReport } from "./print.ts";
import { LATENCIES, type Report, THROUGHPUTS } from "./report.ts";

const MAIN = join(import.meta.dirname, "..", "main.ts");
const root = process.getuid?.() === 0;
const temporary = mkdtempSync(join(tmpdir(), "plastron-bench-test-"));
chmodSync(temporary, 0o711); // the server's uid passes through it
afterAll(() => rmdirSync(temporary));
const env = { ...process.env, TMPDIR: temporary };
const bench = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args], { encoding: "utf8", env });

describe("flags", () => {
  test.each([
    [["--dify-url", "http://127.0.0.1:1"], "--dify-url and --dify-key go together"],
    [["--url", "localhost:7300", "--key", "k"], "--url takes an address"],
    [["--runs", "0"], "--runs takes a number"],
    [["--fast"], "--fast"],
    [["policies"], "there is no benchmark policies"],
  ])("%j is refused with exit code 2 and says why", async (args, why) => {
    await expect(bench(...args)).rejects.toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(why) });
  });
});

test("a bench that cannot reach its server fails", async () => {
  await expect(bench("--quick", "--runs", "1", "--url", "http://127.0.0.1:1", "--key", "none")).rejects.toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("the bench failed"),
  });
});

test.runIf(root)("[needs: root] --quick --json measures everything on a Plastron of its own, and leaves nothing behind", { timeout: 120_000 }, async () => {
  const { stdout, stderr } = await bench("sandbox", "--quick", "--json", "--runs", "3");
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as Report;

  expect(report).toMatchObject({ bench: "sandbox", settings: { quick: true, runs: 3, concurrency: 8 }, platform: { started_by_bench: true } });
  expect(report.machine.cores).toBeGreaterThan(0);
  expect(Object.keys(report.latency).sort()).toEqual([...LATENCIES].sort());
  expect(Object.keys(report.throughput).sort()).toEqual([...THROUGHPUTS].sort());
  for (const name of ["python", "node", "bash", "dify_python", "dify_node"] as const) {
    expect(measured(report.latency[name])).toMatchObject({ n: 3, failed: 0 });
    expect(measured(report.throughput[name]).runs_per_s).toBeGreaterThan(0);
  }
  for (const [name, found] of Object.entries(report.latency)) expect(name.startsWith("peer_") && isMeasured(found)).toBe(false);

  const { latency, cpu_us_per_run: cpu } = measured(report.throughput.python);
  expect(latency.phases_us).toMatchObject({ total: expect.any(Number), run: expect.any(Number), commit: expect.any(Number) });
  expect(Object.keys(cpu).sort()).toEqual(["agent", "generator", "postgres", "rest", "sandboxes", "server"]);
  expect(cpu.server).toBeGreaterThan(0);
  expect(measured(measured(report.direct_driver).latency).n).toBe(3);

  const memory = measured(report.idle_memory);
  expect(memory.groups.map(({ name }) => name)).toEqual(expect.arrayContaining(["plastron up", "server", "agent", "PostgreSQL", "warm python3"]));
  expect(memory.groups.reduce((sum, { mib }) => sum + mib, 0)).toBeCloseTo(memory.total_mib, 1);

  expect(report.ratios.python_p50_to_bare_python_start).toBeGreaterThan(0);
  expect(report.ratios.dify_python_p50_to_peer).toBeNull();
  expect(report.targets.find(({ unit }) => unit === "MiB")).toMatchObject({ at_most: 400, measured: memory.total_mib, met: memory.total_mib <= 400 });

  const printed = printReport(report).join("\n");
  expect(printed).toContain("Python print(1) over HTTP, p50");
  expect(printed).toMatch(/Python, the peer +– +no --dify-url was given/);
  expect(printed).not.toMatch(/NaN|undefined|\[object/);
  expect(readdirSync(temporary)).toEqual([]);
});

function measured<T extends object>(found: Measured<T>): T {
  if (!isMeasured(found)) throw new Error(`not measured: ${found.unavailable}`);
  return found;
}
