import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, type PackageRequest, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../driver.ts";
import { openLocalDriver } from "../drivers/local/index.ts";
import { type Bench, bench } from "../testing/harness.ts";
import { outside, wayOut } from "../testing/outside.ts";
import { findNpm, npmDefault, pythonBase, readConfiguration } from "./base.ts";
import { npmRegistry } from "./registry/npm.ts";
import { pipRegistry } from "./registry/pip.ts";

const isRoot = process.getuid?.() === 0;
const LIMITS = { ...DEFAULT_LIMITS, wall_ms: 60_000, memory_bytes: 1 << 30 };

/** The machine's own registries, where it has some and they answer. */
async function answers(hosts: () => Promise<{ options: string[] }>): Promise<boolean> {
  try {
    const { options } = await hosts();
    const url = options.find((word) => /^https?:/.test(word)) ?? "";
    return (await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(10_000) })).status < 500;
  } catch {
    return false;
  }
}
const hasPip = isRoot && (await answers(async () => pipRegistry(process.env, readConfiguration, (await pythonBase()).defaults ?? { index: "", files: "" })));
const npm = findNpm(new URL("../../..", import.meta.url).pathname);
const hasNpm = isRoot && npm !== undefined && (await answers(async () => npmRegistry(process.env, readConfiguration, await npmDefault(npm))));

describe("[needs: root and the machine's own registry] a runtime from there", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-real-images-"));
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    if (!hasPip && !hasNpm) return;
    const world = await outside();
    await world.close();
    driver = await openLocalDriver({
      home,
      egress: { command: world.egress.command },
      images: {
        confine: (hosts) => wayOut({ http: hosts.map(({ host, port }) => ({ hosts: [host], ports: [[port, port]], audit: false })) }),
        env: process.env,
      },
    });
    use = bench(driver, compileDefault(TYPICAL_HOST).confinement);
  });
  afterAll(async () => {
    await driver?.close();
    rmSync(home, { recursive: true, force: true });
  });
  const build = (packages: PackageRequest) => driver.images?.build({ packages, tenant: "acme", wall_ms: 300_000, progress() {} });

  it.runIf(hasPip)(
    "has numpy and pandas, which programs find imported",
    async () => {
      const begun = performance.now();
      const image = await build({ from: "python3", requirements: "numpy\npandas" });
      const built = performance.now() - begun;
      const code =
        "import numpy, pandas, time; print(pandas.DataFrame({'a': numpy.arange(4)}).a.sum(), numpy.__file__.startswith('/usr/lib/python3/dist-packages/'))";
      const times: number[] = [];
      for (const _ of Array(4)) {
        const from = performance.now();
        const ran = await use.python(code, { image: image?.id ?? null, limits: LIMITS, imports: ["numpy", "pandas"] });
        times.push(Math.round(performance.now() - from));
        expect(ran).toMatchObject({ stdout: "6 True\n", status: "completed" });
        await new Promise((later) => setTimeout(later, 3_000));
      }
      console.log(
        `numpy and pandas: built in ${Math.round(built / 1000)} s, ${Math.round((image?.bytes ?? 0) / 2 ** 20)} MiB; runs took ${times.join(", ")} ms`,
      );
    },
    400_000,
  );

  it.runIf(hasNpm)(
    "has packages of npm",
    async () => {
      const image = await build({ from: "nodejs", package_json: '{"dependencies":{"semver":"^7"}}', package_lock: null });
      const ran = await use.node("console.log(require('semver').valid('1.2.3'))", { image: image?.id ?? null, limits: LIMITS });
      expect(ran).toMatchObject({ stdout: "1.2.3\n", status: "completed" });
    },
    400_000,
  );
});
