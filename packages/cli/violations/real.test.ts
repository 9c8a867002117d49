import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { takeDown } from "../lifecycle/down.ts";
import { CHECKOUT, resolveHome } from "../lifecycle/home.ts";

const built = existsSync(join(CHECKOUT, "packages/sandbox/native/build/plastron-launcher"));
const policy = (more: string, mode = "EnhanceProtect") => `apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata:
  name: strict
spec:
  target: { kind: Pod, name: x }
  policy:
    enforcer: BPFSeccomp
    mode: ${mode}
${more}`;
const strict = (flags: string) =>
  policy(`    enhanceProtect:
      ${flags}
      attackProtectionRules:
        - rules:
            - disable-write-etc
`);

/** A policy's life from the first look to the last session, with the real agent, server, database and sandboxes. */
describe.runIf(process.getuid?.() === 0 && built)("a policy on the whole platform [needs: root]", { timeout: 90_000 }, () => {
  let place: string;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    place = mkdtempSync(join(tmpdir(), "plastron-policy-"));
    chmodSync(place, 0o700);
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("PLASTRON_"));
    env = { ...Object.fromEntries(clean), PLASTRON_HOME: join(place, "home"), PLASTRON_PORT: "0" };
    file("cluster.yaml", "services: [{ namespace: shop, name: db, addresses: [10.96.0.10] }]");
    const up = await plastron(["up", "--detach", "--permissive", "--cluster-addresses", "cluster.yaml"]);
    expect(up.code, up.err).toBe(0);
    expect(up.out).toContain("permissive: policies may lift");
  }, 60_000);
  afterAll(async () => {
    await takeDown(resolveHome(join(place, "home"))).catch(() => {});
    rmSync(place, { recursive: true, force: true });
  });

  function file(name: string, text: string): string {
    writeFileSync(join(place, name), text);
    return name;
  }
  function plastron(args: string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(CHECKOUT, "packages/cli/main.ts"), ...args], { env, cwd: place, stdio: ["ignore", "pipe", "pipe"] });
    const ran = { out: "", err: "" };
    child.stdout?.on("data", (chunk) => (ran.out += chunk));
    child.stderr?.on("data", (chunk) => (ran.err += chunk));
    return new Promise((resolve) => child.once("close", (code) => resolve({ code, ...ran })));
  }
  const touch = () => file("touch.sh", "touch /etc/x && echo made");

  it("denies, and says what by which line; observes, and lets pass what the sandbox itself lets pass", async () => {
    const denied = await plastron(["run", touch(), "--policy-file", file("deny.yaml", strict("auditViolations: true"))]);
    expect(denied.code).toBe(1);
    expect(denied.err).toContain("plastron: denied: write, append, create /etc/x by disable-write-etc at deny.yaml:14: remove that line to lift the rule");
    const unaudited = file("unaudited.yaml", strict("auditViolations: false"));
    const silent = await plastron(["run", touch(), "--policy-file", unaudited, "--quiet"]);
    expect([silent.code, silent.err.includes("plastron:")]).toEqual([1, false]);
    const seen = JSON.parse((await plastron(["violations", "--json", "--seen"])).out).data; // none on a host without a sensor
    if (seen.length > 0) {
      expect(seen).toMatchObject([{ rule_id: "disable-write-etc", audited: false, exe: expect.stringMatching(/touch|coreutils/) }]);
      expect((await plastron(["run", touch(), "--policy-file", unaudited])).err).toMatch(
        /plastron: denied: .*\/etc\/x by disable-write-etc at unaudited.yaml:14: /,
      );
    }
    const observed = await plastron(["run", touch(), "--policy-file", file("observe.yaml", strict("auditViolations: true\n      allowViolations: true"))]);
    expect(observed.err).toContain("let through and recorded: write, append, create /etc/x by disable-write-etc at observe.yaml:15");
    const { data } = JSON.parse((await plastron(["violations", "--json", "--rule", "disable-write-etc"])).out);
    expect(new Set(data.map((violation: { action: string }) => violation.action))).toEqual(new Set(["DENIED", "AUDIT"]));
    const log = readFileSync(join(place, "home/server/logs/violations.log"), "utf8").trim().split("\n");
    expect(log.map((line) => JSON.parse(line).ruleId)).toEqual(log.map(() => "disable-write-etc"));
    const audited = JSON.parse((await plastron(["violations", "--json", "--audited"])).out).data;
    expect(log).toHaveLength(audited.length); // what nobody asked a record of is not in it
  });

  it("that is replaced holds for the next run; an open session keeps the old one and says so", async () => {
    await plastron(["policy", "put", "live", file("v1.yaml", policy("", "AlwaysAllow"))]);
    const session = (await plastron(["session", "open", "-l", "bash", "--policy", "live"])).out.trim();
    const unshare = file("unshare.sh", "unshare -U true && echo possible");
    expect((await plastron(["run", unshare, "--policy", "live"])).out).toBe("possible\n"); // the operator said --permissive
    await plastron(["policy", "put", "live", file("v2.yaml", policy("", "RuntimeDefault"))]);
    expect((await plastron(["run", unshare, "--policy", "live"])).out).toBe("");
    expect((await plastron(["session", "run", session, unshare])).out).toBe("possible\n");
    expect((await plastron(["session", "show", session])).out).toContain("live version 1 (changed since");
    expect((await plastron(["session", "list"])).out).toContain("changed since");
  });
});
