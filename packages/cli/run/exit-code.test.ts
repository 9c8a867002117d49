import { describe, expect, it } from "vitest";
import { exitCodeOf, explain, type Outcome } from "./exit-code.ts";

const outcome = (more: Partial<Outcome>): Outcome => ({ status: "completed", exit_code: 0, signal: null, reason: null, limits_hit: [], ...more });

describe("exitCodeOf", () => {
  it.each([
    [{}, 0],
    [{ status: "failed", exit_code: 3 }, 3],
    [{ status: "failed", exit_code: null, signal: "SIGSEGV" }, 139],
    [{ status: "failed", exit_code: null, signal: "SIGKILL" }, 137],
    [{ status: "timed_out", exit_code: null, signal: "SIGKILL" }, 124],
    [{ status: "memory_exceeded", exit_code: null, signal: "SIGKILL" }, 137],
    [{ status: "pids_exceeded", exit_code: 0 }, 1],
    [{ status: "pids_exceeded", exit_code: 7 }, 7],
    [{ status: "output_truncated", exit_code: 0 }, 0],
    [{ status: "killed", exit_code: null }, 1],
    [{ status: "lost", exit_code: null }, 1],
    [{ status: "refused", exit_code: null }, 2],
  ] as [Partial<Outcome>, number][])("%j exits %d", (more, code) => {
    expect(exitCodeOf(outcome(more))).toBe(code);
  });
});

describe("explain", () => {
  it("has nothing to say of a program that ended by itself", () => {
    expect(explain(outcome({}))).toBeNull();
    expect(explain(outcome({ status: "failed", exit_code: 1 }))).toBeNull();
  });

  it("names the limit and how to raise it, in one line", () => {
    const words = explain(outcome({ status: "timed_out", reason: "5000 ms of wall clock (limits.wall_ms)" }));
    expect(words).toBe("timed out: 5000 ms of wall clock; --limit wall=… allows more");
    const broken = explain(outcome({ status: "broken_by_rule", reason: "900 new processes in 100 ms; it was killed (limits.rates.forks_per_s)" }));
    expect(broken).toBe("broken by a rate rule: 900 new processes in 100 ms; it was killed; --limit forks-per-s=… allows more");
  });
});
