import { type Model, TYPICAL_HOST } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBehavior } from "../advisor/behavior.ts";
import { compilePolicy } from "../compile.ts";
import { profileOf } from "../modelling/index.ts";
import { parsePolicy } from "../parse/parse.ts";
import { armorProfileModel, learnedPolicyText, profileSummary, withBehavior } from "./index.ts";

const MODEL: Model = {
  syscalls: [
    { name: "openat", arguments: [] },
    {
      name: "socket",
      arguments: [
        { index: 0, values: ["0x1", "0x2"] },
        { index: 1, values: ["0x80001"] },
        { index: 2, values: ["0x0"] },
      ],
    },
    { name: "ioctl", arguments: [{ index: 1, values: ["0x5401"] }] },
    { name: "getpriority", arguments: [] },
  ],
  capabilities: [],
  files: [
    { path: "/workspace/main.py", permissions: ["read"] },
    { path: "/workspace/out.txt", permissions: ["write", "create"] },
    { path: "/etc/shadow", permissions: ["read"] },
  ],
  executions: ["/usr/bin/date"],
  sockets: [{ family: "inet", type: "stream", protocol: "0" }],
  connections: [
    { address: "198.18.0.7", port: 443 },
    { address: "203.0.113.9", port: 5432 },
  ],
  names: ["api.example.com:443"],
  complete: true,
};
const learn = (model: Partial<Model> = {}) => profileOf({ ...MODEL, ...model }, { runtime: "python3", denials: [{ call: "openat", path: "/proc/kallsyms" }] });
const compiled = (profile = learn(), options: { allowDangerous?: boolean } = {}) =>
  compilePolicy(parsePolicy(learnedPolicyText(profile, { name: "learned", ...options })), TYPICAL_HOST);
const listed = (from = compiled()) =>
  from.confinement.watch.lists?.flatMap(({ allowed }) => allowed.map(({ glob, permissions }) => `${glob} ${permissions.join("+")}`));

describe("a learned policy", () => {
  it("compiles to lists of the files and programs that were seen, and what is dangerous is not on them", () => {
    expect(listed()).toEqual(["/workspace/main.py read", "/workspace/out.txt read+write+append", "/usr/bin/date exec"]);
    expect(listed(compiled(learn(), { allowDangerous: true }))).toContain("/etc/shadow read");
    expect(compiled().confinement).toMatchObject({ executables: ["/usr/bin/date"], noexec_writable: true });
  });

  it("watches the calls that were not seen and the values of arguments that were not, from the first program on", () => {
    const { calls } = compiled().confinement.watch;
    const of = (name: string) => calls.find((call) => call.name === name)?.entries.filter(({ late }) => late);
    expect(of("setpriority")).toEqual([{ late: true, errno: 1, rule: expect.any(Number), when: [] }]);
    for (const { confinement } of [compiled(), compiled(learn({ names: [], connections: [] }))]) {
      const rule = confinement.watch.calls.find(({ name }) => name === "setpriority")?.entries[0]?.rule ?? -1;
      expect(confinement.rules[rule]).toMatchObject({ id: "defenseInDepth.seccomp", enforcer: "Seccomp" });
    }
    expect(of("ioctl")).toEqual([
      { late: true, errno: 1, rule: expect.any(Number), when: [{ index: 1, mask: "0", op: "ne", value: String(0x5401), width: 32 }] },
    ]);
    expect(of("socket")?.map(({ when }) => when.length)).toEqual([2, 1, 1]);
    expect(of("getpriority") ?? []).toEqual([]);
  });

  it("has a way out to what was reached by name or address, and none where nothing was", () => {
    expect(compiled().confinement.network).toMatchObject({
      default_action: "deny",
      addresses: [{ verdict: "allow", cidr: "203.0.113.9/32", ports: [[5432, 5432]] }],
      http: [{ verdict: "allow", match: { hosts: ["api.example.com"], ports: [[443, 443]] } }],
    });
    expect(compiled(learn({ names: [], connections: [] })).confinement.network).toBeNull();
  });

  it("says in a row how true each part is", () => {
    const rows = compiled().fidelity.filter(({ rule }) => rule.startsWith("defenseInDepth"));
    expect(rows.map(({ rule, fidelity }) => [rule, fidelity])).toEqual(
      expect.arrayContaining([
        ["defenseInDepth.appArmor:file", "approximate"],
        ["defenseInDepth.appArmor:exec", "stricter"],
        ["defenseInDepth.seccomp", "stricter"],
      ]),
    );
    const blind = compilePolicy(parsePolicy(learnedPolicyText(learn(), { name: "learned" })), { ...TYPICAL_HOST, notify: false });
    expect(blind.fidelity.find(({ rule }) => rule === "defenseInDepth.appArmor:file")).toMatchObject({ fidelity: "unsupported" });
  });

  it("cannot be broken out of by a name: signs, quotes, line feeds, letters of AppArmor and YAML", () => {
    const names = [
      "a*b",
      "a?b",
      "[x]",
      'q"uote',
      "new\nline",
      "back\\slash",
      "{a,b}",
      "@{HOME}",
      "deny",
      "# comment",
      "x rw,",
      "é✓",
      "tab\there",
      "a,",
      " lead",
      "'",
      ": |",
      "**",
    ];
    for (const name of names) {
      const profile = learn({ files: [{ path: `/workspace/${name}`, permissions: ["read"] }], executions: [] });
      expect(compiled(profile).confinement.watch.lists?.[0]?.allowed, name).toEqual([{ glob: profile.files[0]?.path, permissions: ["read"] }]);
    }
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" }).filter((text) => !/[/\0]|^\.{1,2}$|\d{4}|\ufffd/.test(text)),
          { minLength: 1, maxLength: 5 },
        ),
        (parts) => {
          const path = `/workspace/d/${parts.join("/")}`;
          const profile = learn({ files: [{ path, permissions: ["read"] }], executions: [] });
          expect(compiled(profile).confinement.watch.lists?.[0]?.allowed).toEqual([{ glob: profile.files[0]?.path, permissions: ["read"] }]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("stands in the place of BehaviorModel where a policy asks for that", () => {
    const text = `apiVersion: crd.varmor.org/v1beta1
kind: VarmorPolicy
metadata: {name: x}
spec:
  target: {kind: Pod, name: x}
  policy:
    enforcer: AppArmorSeccomp
    mode: DefenseInDepth
    defenseInDepth:
      appArmor: {profileType: BehaviorModel}
      seccomp: {profileType: BehaviorModel, syscallRawRules: [{names: [setpriority], action: SCMP_ACT_ALLOW}]}
`;
    const { watch } = compilePolicy(withBehavior(parsePolicy(text), learn()), TYPICAL_HOST).confinement;
    expect(watch.lists?.[0]?.allowed).toHaveLength(2);
    expect(watch.calls.find(({ name }) => name === "setpriority")).toBeUndefined();
    expect(compilePolicy(parsePolicy(text), TYPICAL_HOST).fidelity).toContainEqual(
      expect.objectContaining({ rule: "defenseInDepth.seccomp.profileType", fidelity: "unsupported" }),
    );
  });

  it("is refused of a profile that has no run", () => expect(() => learnedPolicyText({ ...learn(), runs: 0 }, { name: "x" })).toThrow("nothing was learnt"));
});

describe("a profile", () => {
  it("is read by the advisor, and by vArmor as its own model", () => {
    expect(readBehavior(JSON.parse(JSON.stringify(learn())))).toMatchObject({ executions: ["/usr/bin/date"], syscalls: expect.arrayContaining(["socket"]) });
    expect(readBehavior(armorProfileModel(learn(), "x"))).toMatchObject({
      executions: ["/usr/bin/date"],
      files: expect.arrayContaining([{ path: "/workspace/out.txt", permissions: ["read", "write"] }]),
    });
  });

  it("is told in lines that name what is dangerous first, with nothing unprintable", () => {
    const lines = profileSummary(learn({ files: [...MODEL.files, { path: "/workspace/\u001b[31mred", permissions: ["write"] }] }));
    expect(lines.join("\n")).toMatch(/Dangerous[^\n]*\n {2}\/etc\/shadow/);
    expect(lines.join("\n")).not.toMatch(/\u001b/);
  });
});
