import { DEFAULT_LIMITS, noTelemetry, type RunResult } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { judge } from "./judge.ts";
import type { Evidence } from "./stage/stage.ts";

const evidence = (stdout: string, more: { result?: Partial<RunResult>; marked?: Evidence["marked"]; stderr?: string } = {}): Evidence => ({
  stdout,
  stderr: more.stderr ?? "",
  received: stdout.length,
  marked: more.marked ?? { during: 0, after: 0 },
  result: {
    telemetry: noTelemetry("a test"),
    broken_by: null,
    status: "completed",
    exit_code: 0,
    signal: null,
    reason: null,
    stdout: "",
    stderr: "",
    stdout_truncated: false,
    stderr_truncated: false,
    limits_hit: [],
    violations: [],
    violations_dropped: 0,
    usage: { wall_ms: 1, cpu_ms: 1, memory_peak_bytes: DEFAULT_LIMITS.memory_bytes, context_switches: null },
    artifacts: [],
    sandbox: { driver: "local", tier: 2, start: "warm", source: "process", confinement: "" },
    phases_us: {},
    ...more.result,
  },
});
const report = { by: "report" } as const;

describe("a program's own report", () => {
  it("is believed where the control worked and the attack was tried", () => {
    expect(judge(report, evidence("::control\n::attempted\n::denied EPERM\n"))).toEqual({ kind: "denied", detail: "EPERM" });
    expect(judge(report, evidence("::control\n::attempted\n::succeeded read it\n"))).toEqual({ kind: "succeeded", detail: "read it" });
    expect(judge(report, evidence("::control\n::attempted\n::absent ENOSYS\n"))).toEqual({ kind: "absent", detail: "ENOSYS" });
  });

  it.each([
    ["nothing at all", ""],
    ["denied without an attempt", "::denied EPERM\n"],
    ["denied without a control", "::attempted\n::denied EPERM\n"],
    ["an attempt before its control", "::attempted\n::control\n::denied EPERM\n"],
    ["an attempt that a crash ended", "::control\n::attempted\n"],
    ["another error than a refusal", "::control\n::attempted\n::broken EINVAL\n"],
  ])("is worth nothing with %s", (_, stdout) => {
    expect(judge(report, evidence(stdout)).kind).toBe("broken");
  });

  it("says why it is worth nothing", () => {
    const crash = evidence("", { stderr: "Traceback\nImportError: no module named ctypes\n", result: { status: "failed", exit_code: 1 } });
    expect(judge(report, crash).detail).toBe("it never came to the attempt; status failed; ImportError: no module named ctypes");
  });
});

describe("a limit", () => {
  const sign = { by: "limit", limit: "memory" } as const;
  it("contains where the platform says that it was hit", () => {
    expect(judge(sign, evidence("::control\n::attempted\n", { result: { status: "memory_exceeded", limits_hit: ["memory"] } })).kind).toBe("denied");
  });
  it("contains nothing where the program got through, or ended for another reason", () => {
    expect(judge(sign, evidence("::control\n::attempted\n::succeeded holds it\n", { result: { limits_hit: ["memory"] } })).kind).toBe("succeeded");
    expect(judge(sign, evidence("::control\n::attempted\n", { result: { status: "timed_out", limits_hit: ["wall"] } })).kind).toBe("broken");
    expect(judge(sign, evidence("", { result: { limits_hit: ["memory"] } })).kind).toBe("broken");
  });
});

describe("silence", () => {
  const sign = { by: "silence", instead: "hello" } as const;
  it("contains where the rest of the request ran and the payload did not", () => {
    expect(judge(sign, evidence("hello\n")).kind).toBe("denied");
  });
  it("is a success of the attack as soon as the payload says a word", () => {
    expect(judge(sign, evidence("::control\nhello\n")).kind).toBe("succeeded");
  });
  it("is worth nothing where the rest did not run either", () => {
    expect(judge(sign, evidence("")).kind).toBe("broken");
  });
});

describe("a survivor", () => {
  const sign = { by: "survivor" } as const;
  const tried = "::control\n::attempted\n";
  it.each([
    [{ during: 1, after: 0 }, "denied"],
    [{ during: 1, after: 1 }, "succeeded"],
    [{ during: 0, after: 0 }, "broken"],
  ] as const)("with %j is %s", (marked, kind) => {
    expect(judge(sign, evidence(tried, { marked })).kind).toBe(kind);
  });
});
