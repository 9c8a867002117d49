import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeDriver } from "../../driver.conformance.ts";
import type { SandboxDriver } from "../../driver.ts";
import { bench } from "../../testing/harness.ts";
import { openLocalDriver } from "./index.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-zygote-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const { confinement } = compileDefault(TYPICAL_HOST);

/** A driver for which every tenant is busy enough for a zygote, and whose zygote of the suite's tenant is there. */
async function openWithZygote(name: string): Promise<SandboxDriver> {
  const driver = await openLocalDriver({ home: join(home, name) }, { zygoteCores: 0 });
  const { python } = bench(driver, confinement);
  for (let i = 0; i < 100 && (await python("pass")).sandbox.source !== "zygote"; i++) await new Promise((later) => setTimeout(later, 50));
  return driver;
}

describeDriver("local (children of a zygote)", { open: () => openWithZygote("conformance"), confinement, sessions: "kept" });

describe("children of a zygote", () => {
  let driver: SandboxDriver;
  beforeAll(async () => {
    driver = await openWithZygote("own");
  }, 60_000);
  afterAll(() => driver.close());
  const zygoteRun = async (code: string) => {
    const ran = await bench(driver, confinement).python(code);
    expect(ran.sandbox.source).toBe("zygote");
    return ran.stdout.trim();
  };

  it("share no random state, no uid, no files and no name of a namespace", async () => {
    /* At the same time: the kernel gives a dead namespace's number to the next. */
    const look =
      "import os, random, time, uuid; time.sleep(0.3); print(random.random(), uuid.uuid4(), os.stat('/workspace').st_uid, *(os.readlink(f'/proc/self/ns/{n}') for n in ('pid', 'mnt', 'net', 'ipc', 'uts', 'user', 'cgroup')), sep='\\n')";
    const [a, b] = (await Promise.all([zygoteRun(look), zygoteRun(look)])).map((said) => said.split("\n"));
    expect(a).toHaveLength(10);
    for (const [i, value] of (a ?? []).entries()) if (i !== 2) expect(value).not.toBe(b?.[i]);
  });

  it("have another host uid each, never 0, and see only their own processes", async () => {
    const [a, b] = await Promise.all([
      zygoteRun("import time; print(open('/proc/self/uid_map').read()); time.sleep(0.3)"),
      zygoteRun("print(open('/proc/self/uid_map').read())"),
    ]);
    expect(a.split(/\s+/).slice(0, 3)).not.toEqual(b.split(/\s+/).slice(0, 3));
    expect(Number(a.split(/\s+/)[1])).toBeGreaterThan(0);
    expect(await zygoteRun("import os; print(sorted(p for p in os.listdir('/proc') if p.isdigit()))")).toBe("['2']");
  });

  it("cannot reach the zygote: its memory, its signals, its init, or what it holds open", async () => {
    const attack = `
import os, socket
def attempt(name, act):
    try:
        act(); print(name, 'possible')
    except OSError as error:
        print(name, 'denied')
attempt('signal the parent', lambda: os.kill(os.getppid(), 9) if os.getppid() else (_ for _ in ()).throw(OSError()))
attempt('kill init', lambda: (os.kill(1, 9), open('/proc/1/status').close()))
attempt('read init', lambda: open('/proc/1/mem', 'rb').read(1))
attempt('init binary', lambda: open('/proc/1/exe', 'rb').read(1))
attempt('leave the namespaces', lambda: os.open('/proc/1/ns/mnt', os.O_RDONLY))
attempt('unmount', lambda: os.stat('/proc/sys/kernel/core_pattern') and open('/proc/sys/kernel/core_pattern', 'w'))
print('descriptors', sorted(int(f) for f in os.listdir('/proc/self/fd'))[:4])
`;
    const said = await zygoteRun(attack);
    expect(said).not.toContain("possible");
    expect(said.match(/denied/g)).toHaveLength(6);
    expect(said).toContain("descriptors [0, 1, 2, 3]"); // 3 is the listing of the directory itself
  });

  it("have numpy and pandas imported before they are asked, where these are installed", async () => {
    const { python } = bench(driver, confinement);
    const code = "import sys, time; had = 'pandas' in sys.modules; import pandas; print(had, pandas.Series([1, 2]).sum())";
    if ((await python("import pandas")).exit_code !== 0)
      return expect(await python("import pandas")).toMatchObject({ stderr: expect.stringContaining("No module named") });
    for (let i = 0; i < 100; i++) {
      const ran = await python(code, { imports: ["numpy", "pandas"] });
      expect(ran.stdout).toBe("True 3\n");
      if (ran.sandbox.source === "zygote") return;
      await new Promise((later) => setTimeout(later, 50));
    }
    throw new Error("no run came from a zygote");
  }, 60_000);

  it("are not cut off when their zygote is replaced for its age", async () => {
    const aging = await openLocalDriver({ home: join(home, "aging") }, { zygoteCores: 0, zygoteMaxAgeMs: 1500 });
    try {
      const { python } = bench(aging, confinement);
      let long = await python("pass");
      for (let i = 0; i < 20 && long.sandbox.source !== "zygote"; i++) long = await python("import time; time.sleep(3); print('whole')");
      expect(long).toMatchObject({ status: "completed", stdout: "whole\n" });
    } finally {
      await aging.close();
    }
  }, 60_000);

  it("end with their zygote, and the tenant's next run still works", async () => {
    const { python } = bench(driver, confinement);
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => python(`print(${i})`)));
    expect(results.map((ran) => ran.stdout.trim())).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
  });
});
