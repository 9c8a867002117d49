import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, type HostFacts, type NetworkRequest, networkRequestSchema, type Sensor, type Violation } from "@plastron/contracts";
import { learnedPolicyText } from "@plastron/policy";
import { hostFacts, openDriver, type SandboxDriver } from "@plastron/sandbox";
import { trySensor } from "@plastron/sensor";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Learned, learn, replay, type Workload } from "../../packages/cli/learn/learn.ts";
import { describeEvent } from "../../packages/cli/violations/words.ts";
import { NAMES, type Outside, outside } from "../../packages/sandbox/testing/outside.ts";

const presence = process.getuid?.() === 0 ? await trySensor({}) : { sensorMissing: "it needs root" };
const sensor: Sensor | undefined = presence.sensor;
const limits = { ...DEFAULT_LIMITS, wall_ms: 60_000 };
const workload = (runtime: Workload["runtime"], file: string, args: string[] = []): Workload => ({
  runtime,
  code: readFileSync(join(import.meta.dirname, "workloads", file), "utf8"),
  args,
  files: [],
  stdin: "",
  env: {},
  imports: [],
  limits,
});
const said = (violations: readonly Violation[]) => violations.map(({ rule_id, action, event }) => `${rule_id} ${action} ${describeEvent(event)}`);

describe.skipIf(!sensor)("a learned policy at work [needs: root, sensor]", () => {
  let driver: SandboxDriver;
  let host: HostFacts;
  let world: Outside;
  let home: string;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), "plastron-learned-"));
    world = await outside();
    driver = await openDriver({ home, ...presence, egress: world.egress, uidBase: 1_900_220_000 }, "local");
    host = { ...(await hostFacts()), sensor: true, egress: true };
  }, 60_000);
  afterAll(async () => {
    await driver?.close();
    await world?.close();
    await sensor?.close();
    rmSync(home, { recursive: true, force: true });
  });

  async function learnt(of: Workload, runs = 3): Promise<{ learned: Learned; policy: string }> {
    const learned = await learn(of, { runs, durationMs: 120_000, force: false }, driver, host, () => {});
    expect(learned.ends.map(({ status, stderr }) => [status, stderr])).toEqual(learned.ends.map(() => ["completed", ""]));
    return { learned, policy: learnedPolicyText(learned.profile, { name: "learned" }) };
  }

  const KINDS = [
    {
      runtime: "python3",
      file: "workload.py",
      replays: 20,
      news: {
        read: /^defenseInDepth.appArmor:file DENIED .*\/etc\/hostname/,
        write: /^defenseInDepth.appArmor:file DENIED .*\/workspace\/elsewhere.txt/,
        append: /^defenseInDepth.appArmor:file DENIED .*\/workspace\/main.py/,
        remove: /^defenseInDepth.appArmor:file DENIED .*\/workspace\/main.py/,
        exec: /^defenseInDepth.appArmor:exec DENIED .*\/usr\/bin\/id/,
        call: /^defenseInDepth.seccomp DENIED .*getpriority/,
        netlink: /^defenseInDepth.(seccomp|appArmor:network) DENIED .*(socket|NETLINK)/,
        inet: /^defenseInDepth.(seccomp|appArmor:network) DENIED .*(socket|INET)/,
        ioctl: /^defenseInDepth.seccomp DENIED .*ioctl/,
        prctl: /^defenseInDepth.seccomp DENIED .*prctl/,
        capability: /^defenseInDepth.(appArmor:capability|seccomp) DENIED .*chroot/,
      },
    },
    {
      runtime: "nodejs",
      file: "workload.cjs",
      replays: 20,
      news: { read: /appArmor:file DENIED .*\/etc\/hostname/, write: /appArmor:file DENIED .*elsewhere/, exec: /appArmor:exec DENIED .*\/usr\/bin\/id/ },
    },
    {
      runtime: "bash",
      file: "workload.sh",
      replays: 100,
      news: {
        read: /appArmor:file DENIED .*\/etc\/hostname/,
        write: /appArmor:file DENIED .*elsewhere/, // bash looks into what it may not execute, which is new as well
        exec: [/appArmor:exec DENIED .*\/usr\/bin\/id/, /appArmor:file DENIED .*\/usr\/bin\/id/],
      },
    },
  ] as const;

  it.each(KINDS)(
    "lets $runtime do what it did in $replays runs, and one new thing is one violation",
    async ({ runtime, file, replays, news }) => {
      const { learned, policy } = await learnt(workload(runtime, file));
      for (let i = 0; i < replays; i++) {
        const run = await replay(policy, workload(runtime, file), learned.ends, driver, host);
        expect({ run: i, said: said(run.violations), same: run.same, stderr: run.stderr }).toEqual({ run: i, said: [], same: true, stderr: "" });
      }
      for (const [what, rule] of Object.entries(news)) {
        const free = await learn(workload(runtime, file, [what]), { runs: 1, durationMs: 60_000, force: true }, driver, host, () => {});
        const run = await replay(policy, workload(runtime, file, [what]), learned.ends, driver, host);
        expect({ what, said: said(run.violations) }).toEqual({ what, said: [rule].flat().map((each) => expect.stringMatching(each)) });
        expect(run.stdout.trimEnd().split(/\s/).at(-1), what).toBe("denied");
        // The floor refuses some of it in any case.
        if (!["netlink", "capability"].includes(what)) expect(free.ends[0]?.stdout.trimEnd().split(/\s/).at(-1), what).toBe("allowed");
      }
    },
    300_000,
  );

  it("reaches the hosts that it reached, and another is one violation", async () => {
    const [API, OTHER] = NAMES as [string, string];
    const code = `for host in ${API} "\${1:-${API}}"; do curl -s -m 5 -o /dev/null -w '%{http_code}\\n' "http://$host:${world.http}/x"; done; true`;
    const of = (args: string[] = []): Workload => ({
      ...{ runtime: "bash", code, args, files: [], stdin: "", env: {}, imports: [], limits },
      network: networkRequestSchema.parse({ allow: [{ domains: [API, OTHER], ports: [world.http] }] }) as NetworkRequest,
    });
    const { learned, policy } = await learnt(of());
    expect(learned.profile.names).toEqual([`${API}:${world.http}`]);
    expect(learned.ends[0]?.stdout).toBe("200\n200\n");
    for (let i = 0; i < 5; i++) expect(said((await replay(policy, of(), learned.ends, driver, host)).violations)).toEqual([]);
    const run = await replay(policy, of([OTHER]), learned.ends, driver, host);
    expect(said(run.violations)).toEqual([expect.stringMatching(/^defenseInDepth.networkProxy.egress.defaultAction DENIED/)]);
    expect(run.stdout).toMatch(/^200\n(000|403)\n$/);
  }, 120_000);

  it("does not give what was seen of secrets, and names without end are no profile", async () => {
    const poison = (code: string): Workload => ({ runtime: "bash", code, args: [], files: [], stdin: "", env: {}, imports: [], limits });
    const { learned, policy } = await learnt(poison("read -r -d '' x < /proc/self/environ; echo ok"), 1);
    expect(learned.profile.dangerous).toEqual([expect.objectContaining({ what: "/proc/[0-9]*/environ" })]);
    expect(policy).toContain("Left out: /proc/[0-9]*/environ");
    const run = await replay(policy, poison("read -r -d '' x < /proc/self/environ; echo ok"), learned.ends, driver, host);
    expect(said(run.violations)).toEqual([expect.stringMatching(/appArmor:file DENIED .*\/proc\/\d+\/environ/)]);
    const flood = poison("for a in {a..z}; do for b in {a..z}; do for c in {a..m}; do mkdir -p $a$b$c 2>/dev/null && : > $a$b$c/f; done; done; done; echo ok");
    await expect(
      learn(flood, { runs: 1, durationMs: 60_000, force: true }, driver, host, () => {}).then(({ profile }) => learnedPolicyText(profile, { name: "x" })),
    ).rejects.toThrow(/different (names of )?files/);
  }, 120_000);
});
