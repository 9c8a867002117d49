import { TYPICAL_HOST } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { compilePolicy } from "../compile.ts";
import { parsePolicy } from "../parse/parse.ts";
import { RULES } from "../rules/registry.ts";
import { type AdviseRequest, advise } from "./advise.ts";
import { type Behavior, readBehavior } from "./behavior.ts";
import { knowledgeOf } from "./knowledge.ts";
import { adviceText } from "./text.ts";

const request = (more: Partial<AdviseRequest> = {}): AdviseRequest => ({
  ...{ name: "app", enforcers: ["AppArmor", "BPF", "Seccomp"], capabilities: [], features: [], behavior: null },
  ...more,
});
const decided = (more: Partial<AdviseRequest>) => new Map(advise(request(more)).decisions.map((each) => [each.rule, each]));
const QUIET: Behavior = { capabilities: [], syscalls: [], executions: [], files: [], sockets: [], connections: [] };

describe("the advisor", () => {
  it("knows every rule, and gives a reason for each", () => {
    const names = RULES.filter(({ category }) => category !== "floor").map(({ name }) => name);
    expect(names.filter((name) => knowledgeOf(name) === undefined)).toEqual([]);
    const { decisions } = advise(request());
    expect(decisions.map(({ rule }) => rule)).toEqual(names);
    expect(decisions.filter(({ reason }) => reason.length < 15)).toEqual([]);
  });

  it("leaves out what a need forbids, and names the need", () => {
    const out = decided({ capabilities: ["CAP_NET_RAW"], features: ["require-sa", "load-bpf"] });
    expect(out.get("disable-cap-all")).toMatchObject({ decision: "out", reason: "it loads BPF programs (load-bpf)" });
    expect(out.get("disable-cap-net-raw")).toMatchObject({ decision: "out", reason: "the workload needs CAP_NET_RAW" });
    expect(out.get("mitigate-sa-leak")).toMatchObject({ decision: "out", reason: expect.stringContaining("require-sa") });
    expect(out.get("disable-cap-sys-time")).toMatchObject({ decision: "in" });
  });

  it("chooses rules of the enforcers that are there only", () => {
    const seccomp = decided({ enforcers: ["seccomp"] });
    expect(seccomp.get("disallow-mount")).toMatchObject({ decision: "out", reason: "none of the chosen enforcers (Seccomp) has it" });
    expect(seccomp.get("disallow-create-user-ns")).toMatchObject({ decision: "in" });
  });

  it("puts rules against sensitive operations in only where it is known that they are not needed", () => {
    expect(decided({}).get("disable-shell")).toMatchObject({ decision: "out", reason: expect.stringContaining("behaviour profile") });
    expect(decided({ behavior: QUIET }).get("disable-shell")).toMatchObject({ decision: "in", reason: expect.stringContaining("never seen") });
    const shell = decided({ behavior: { ...QUIET, executions: ["/usr/bin/dash", "/bin/sh"] } }).get("disable-shell");
    expect(shell).toMatchObject({ decision: "out", reason: expect.stringMatching(/starts .*sh/) });
    const etc = decided({ behavior: { ...QUIET, files: [{ path: "/etc/app.conf", permissions: ["write"] }] } }).get("disable-write-etc");
    expect(etc).toMatchObject({ decision: "out", reason: "the workload needs write of /etc/app.conf" });
    const tcp = decided({ behavior: { ...QUIET, sockets: [{ family: "inet", type: "stream" }] } });
    expect(tcp.get("disable-tcp")).toMatchObject({ decision: "out" });
    expect(tcp.get("disable-udp")).toMatchObject({ decision: "in" });
  });

  it("leaves out what was hit while observing", () => {
    const behavior = { rules: [{ rule: "disable-curl", what: "Bprm /usr/bin/curl exec" }] };
    const seen = decided({ behavior });
    expect(seen.get("disable-curl")).toMatchObject({ decision: "out", reason: expect.stringContaining("/usr/bin/curl") });
    expect(seen.get("disable-wget")).toMatchObject({ decision: "in" });
  });

  it("says nothing twice", () => {
    const all = decided({ behavior: QUIET });
    expect(all.get("disable-cap-chown")).toMatchObject({ decision: "out", reason: "disable-cap-all covers it" });
    expect(all.get("disallow-mount-procfs")).toMatchObject({ decision: "out", reason: "disallow-mount covers it" });
  });

  it("adds raw rules that the profile justifies, and none where it is silent", () => {
    const { policy, raw } = advise(
      request({ enforcers: ["BPF", "Seccomp", "NetworkProxy"], behavior: { ...QUIET, connections: [{ ip: "203.0.113.7", port: 443 }] } }),
    );
    const { bpfRawRules, syscallRawRules, networkProxyRawRules } = policy.spec.policy.enhanceProtect ?? {};
    expect(bpfRawRules?.processes?.map(({ pattern }) => pattern)).toContain("/**/nmap");
    expect(syscallRawRules?.[0]?.names).toContain("ptrace");
    expect(networkProxyRawRules?.egress).toMatchObject({ defaultAction: "deny", rules: [{ ip: "203.0.113.7", ports: [{ port: 443 }] }] });
    expect(new Set(raw.map(({ field }) => field.split(".")[0]))).toEqual(new Set(["bpfRawRules", "syscallRawRules", "networkProxyRawRules"]));
    expect(advise(request()).raw).toEqual([]);
    expect(advise(request({ behavior: { executions: [] } })).policy.spec.policy.enhanceProtect).not.toHaveProperty("syscallRawRules");
  });

  it("writes a policy that can be read, compiled, and understood", () => {
    const advice = advise(request({ enforcers: ["AppArmor", "BPF", "Seccomp", "NetworkProxy"], behavior: QUIET }));
    const text = adviceText(advice);
    const { positions: _positions, upstreamCompat: _compat, ...read } = parsePolicy(text);
    expect(read).toEqual(advice.policy);
    expect(compilePolicy(parsePolicy(text), TYPICAL_HOST).fidelity.length).toBeGreaterThan(20);
    expect(text).toMatch(/- disallow-umount # it stops masks/);
    expect(text).toMatch(/# Left out, and why:\n(# .*\n)*# {1,2}disable-cap-chown: disable-cap-all covers it/);
  });

  it("does not let a workload write into the policy", () => {
    const path = "/tmp/x\n        - disable-nothing: '\u001b[31m";
    const advice = advise(request({ behavior: { ...QUIET, executions: [`${path}/sh`], rules: [{ rule: "disable-wget", what: path }] } }));
    expect(parsePolicy(adviceText(advice)).spec.policy.enhanceProtect?.attackProtectionRules?.[0]?.rules).not.toContain("disable-nothing");
    expect(adviceText(advice)).not.toContain("\u001b");
  });

  it.each([
    [{ enforcers: ["AppArmour"] }, /no enforcer "AppArmour". Did you mean "AppArmor"/],
    [{ enforcers: [] }, /at least one/],
    [{ features: ["mount-some"] }, /no feature "mount-some". Did you mean "mount-sth"/],
    [{ capabilities: ["NET_RAY"] }, /Did you mean "net_raw"/],
  ])("refuses %j by name", (more, message) => expect(() => advise(request(more))).toThrow(message));
});

describe("behaviour profiles", () => {
  it("may be vArmor's", () => {
    const model = {
      kind: "ArmorProfileModel",
      spec: {
        dynamicResult: {
          apparmor: { executions: ["/bin/sh"], capabilities: ["NET_RAW"], files: [{ path: "/etc/x", permissions: ["r", "wl"], owner: true }] },
          seccomp: { syscalls: ["openat"] },
        },
      },
    };
    expect(readBehavior(model)).toMatchObject({
      ...{ capabilities: ["net_raw"], executions: ["/bin/sh"], syscalls: ["openat"] },
      files: [{ path: "/etc/x", permissions: ["read", "write", "write"] }],
    });
  });
  it("are refused with the place of the fault", () => {
    expect(() => readBehavior({ files: [{ path: "/x", permissions: ["fly"] }] })).toThrow(/files\.0\.permissions\.0/);
    expect(() => readBehavior(7)).toThrow(/behaviour profile/);
    expect(() => readBehavior({ syscall: [] })).toThrow();
  });
});
