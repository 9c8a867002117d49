/** What policy's `explain` says, against what really denies: the forbidden program of every rule's self-tests, in sandboxes with a sensor. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type HostFacts, newId, noTelemetry, runSpecSchema, type SelfTest, type Telemetry } from "@plastron/contracts";
import { type Compiled, compilePolicy, parsePolicy, ruleNames } from "@plastron/policy";
import { hostFacts, type SandboxDriver } from "@plastron/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKOUT } from "../lifecycle/home.ts";
import { withOwnDriver } from "../run/own-driver.ts";

const possible = process.getuid?.() === 0 && existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));

/**
 * What these rules forbid is not there, leads nowhere, or is refused by the floor in another way than the rule's own, so that no denial is
 * the rule's: nothing may be explained by it then, and nothing is.
 */
const WITHOUT_A_DENIAL =
  /^(disallow-(debug-disk-device|write-release-agent|access-procfs-root)|disable-cap-.*|mitigate-(sa|overlayfs|host-ip)-.*|block-access-to-.*|disable-access-(shadow|ssh-dir)|cgroups-.*|runc-.*|ingress-.*)$/;
/** Singles differ in the capability alone. */
const tried = ruleNames().filter((name) => !name.startsWith("disable-cap-") || /-(all|chown|net-raw)$/.test(name));

let driver: SandboxDriver;
let host: HostFacts;
let finish: () => void;
let closed: Promise<void>;

describe.runIf(possible)("every rule's denial in a sandbox [needs: root]", { timeout: 400_000 }, () => {
  beforeAll(async () => {
    host = { ...(await hostFacts()), sensor: true };
    const { promise: done, resolve } = Promise.withResolvers<void>();
    finish = resolve;
    await new Promise<void>((opened, failed) => {
      closed = withOwnDriver(async (lent) => {
        driver = lent;
        opened();
        await done;
      }, "seen");
      closed.catch(failed);
    });
  }, 60_000);
  afterAll(async () => {
    finish();
    await closed;
  });

  async function seen(code: string, { confinement }: Compiled): Promise<Telemetry> {
    const spec = runSpecSchema.parse({ run_id: newId("run"), tenant: "ten_explained", runtime: "python3", code, confinement });
    return (await driver.run(spec, { stdout: () => {}, stderr: () => {} })).telemetry;
  }

  /** The rules that the denials of a program are explained by, without the platform's own. */
  async function rulesOf(test: SelfTest, compiled: Compiled): Promise<string[]> {
    const { denials } = await seen(test.forbidden, compiled);
    return [...new Set(denials.flatMap((denial) => compiled.explain(denial)?.rule_id ?? []))].filter((rule) => !rule.startsWith("floor-"));
  }

  function compiled(enhanceProtect: object): Compiled {
    const policy = { enforcer: "BPFSeccomp", mode: "EnhanceProtect", enhanceProtect };
    const text = { apiVersion: "crd.varmor.org/v1beta1", kind: "VarmorPolicy", metadata: { name: "p" }, spec: { target: { kind: "Pod", name: "x" }, policy } };
    return compilePolicy(parsePolicy(JSON.stringify(text)), host);
  }

  it("is seen at all", async ({ skip }) => {
    const { level, reason, denials } = await seen(
      "import socket\ntry: socket.socket(socket.AF_PACKET)\nexcept OSError: pass",
      compiled({ hardeningRules: [] }),
    );
    if (level === "none") skip(`[needs: sensor] ${reason ?? noTelemetry("").reason}`);
    expect(denials).toMatchObject([{ call: "socket", errno: "EPERM" }]);
  });

  it("is explained by that rule and by no other, whichever list it stands in", async ({ skip }) => {
    if ((await seen("", compiled({ hardeningRules: [] }))).level === "none") skip("[needs: sensor]");
    const wrong: string[] = [];
    for (const name of tried) {
      const category = (["hardeningRules", "attackProtectionRules", "vulMitigationRules"] as const).find((each) => ruleNames(each).includes(name)) as string;
      const alone = compiled(category === "attackProtectionRules" ? { attackProtectionRules: [{ rules: [name] }] } : { [category]: [name] });
      const row = alone.fidelity.find(({ category }) => category.startsWith("spec.policy.enhanceProtect"));
      const named = await Promise.all((row?.self_tests ?? []).map((test) => rulesOf(test, alone)));
      const rules = [...new Set(named.flat())];
      const missing = row && rules.length === 0 && row.self_tests.length > 0 && !WITHOUT_A_DENIAL.test(row.rule);
      if (missing || rules.some((rule) => rule !== row?.rule)) wrong.push(`${name}: ${rules.join(", ") || "nothing"}`);
    }
    expect(wrong).toEqual([]);
  });

  it("is explained by the raw rule, by its own place", async ({ skip }) => {
    const raw = compiled({
      bpfRawRules: {
        files: [
          { pattern: "/workspace/keys/**", permissions: ["write"], qualifiers: ["deny"] },
          { pattern: "/usr/share/zoneinfo/**", permissions: ["read"], qualifiers: ["deny", "audit"] },
        ],
        processes: [{ pattern: "**/git", permissions: ["exec"], qualifiers: ["deny"] }],
        network: {
          sockets: [{ qualifiers: ["deny"], domains: ["unix"], types: ["dgram"] }],
          egress: { toDestinations: [{ qualifiers: ["deny"], ip: "127.0.0.9" }] },
        },
        ptrace: { strictMode: true, permissions: ["trace"], qualifiers: ["deny"] },
      },
      syscallRawRules: [{ names: ["sched_setparam"], action: "SCMP_ACT_ERRNO" }],
    });
    const program = `
import os, socket, subprocess, ctypes
libc = ctypes.CDLL(None)
def each(*attempts):
    for attempt in attempts:
        try: attempt()
        except OSError: pass
os.mkdir("keys")
each(lambda: open("keys/a", "w"), lambda: open("/usr/share/zoneinfo/UTC"), lambda: os.execv("/usr/bin/git", ["git"]) if os.fork() == 0 else os.wait(),
     lambda: socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), lambda: socket.create_connection(("127.0.0.9", 1), 1), lambda: open("/proc/self/mem", "rb"),
     lambda: os.sched_setparam(0, os.sched_param(0)))`;
    const { level, denials } = await seen(program, raw);
    if (level === "none") skip("[needs: sensor]");
    const found = new Set(denials.map((denial) => raw.explain(denial)?.rule_id));
    const places = ["files[0]", "processes[0]", "network.sockets[0]", "network.egress.toDestinations[0]", "ptrace"].map((place) => `bpfRawRules.${place}`);
    for (const rule of [...places, "syscallRawRules[0]"])
      expect([...found], JSON.stringify(denials.map(({ call, path, errno }) => [call, path, errno]))).toContain(rule);
  });

  it("of a file that its own permissions close is nobody's rule", async ({ skip }) => {
    const strict = compiled({ attackProtectionRules: [{ rules: ["disable-access-passwd", "disable-write-skills"] }] });
    const { level, denials } = await seen("import os\nopen('x', 'w').close(); os.chmod('x', 0)\ntry: open('x')\nexcept OSError: pass", strict);
    if (level === "none") skip("[needs: sensor]");
    expect(denials.map((denial) => [denial.path, strict.explain(denial)])).toEqual([["/workspace/x", null]]);
  });
});
