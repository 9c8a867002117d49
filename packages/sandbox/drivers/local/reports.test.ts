import { type Denial, MAX_VIOLATIONS, UNSEEN, type Violation } from "@plastron/contracts";
import { beforeEach, expect, it, vi } from "vitest";
import { ViolationTally } from "../../violations/index.ts";
import { Reports } from "./reports.ts";

const file = (path: string, pid = 7): Violation => ({
  ...{ rule_id: "rule", rule_path: "spec", enforcer: "BPF", action: "DENIED", event: { operation: "File", path, permissions: ["read"] } },
  ...{ pid, comm: "cat", mnt_ns_id: null, at: "2026-01-01T00:00:00.000Z", ...UNSEEN },
});
const stack = { frames: [], truncated: false, incomplete: null };
const openat = (path: string | null, pid = 7, comm = "cat"): Denial => ({
  ...{ t_us: 0, pid, comm, exe: "/usr/bin/cat", call: "openat", number: 257, abi: "native", arguments: Array(6).fill("0x0") },
  ...{ errno: "EACCES", path, to: null, count: 1, stack },
});

let told: { violations: Violation[]; denials: Denial[] };
let tally: ViolationTally;
function reports(isRecorded: (denial: Denial) => boolean = () => true, isSensed = true): Reports {
  told = { violations: [], denials: [] };
  tally = new ViolationTally();
  return new Reports({ violation: (each) => void told.violations.push(each), denial: (each) => void told.denials.push(each) }, tally, isRecorded, isSensed);
}
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  return () => vi.useRealTimers();
});

it.each(["violation first", "denial first"])("tells one call once, as a violation with its program and stack: %s", (order) => {
  const run = reports();
  if (order === "denial first") run.denial(openat("/a"));
  run.violation(file("/a"));
  if (order === "violation first") run.denial(openat("/a"));
  expect(told).toEqual({ violations: [{ ...file("/a"), exe: "/usr/bin/cat", stack }], denials: [] });
  run.close([]);
  expect(told.violations).toHaveLength(1);
});

it("waits for the other half no longer than 25 ms, and keeps the order of violations", () => {
  const run = reports();
  run.violation(file("/a"));
  run.violation({ ...file("/b"), action: "AUDIT" });
  run.denial(openat("/kept", 8));
  expect(told).toEqual({ violations: [], denials: [] });
  vi.advanceTimersByTime(30);
  expect(told.violations.map(({ event }) => event)).toEqual([file("/a").event, file("/b").event]);
  expect(told.denials.map(({ path }) => path)).toEqual(["/kept"]);
  run.close([]);
  expect([told.violations.length, told.denials.length]).toEqual([2, 1]);
});

it("tells what waits when the run ends, and all at once where nobody looks on or no enforcer records it", () => {
  const run = reports();
  run.violation(file("/a"));
  run.denial(openat("/b", 8));
  run.close([openat("/a")]);
  expect(told.violations).toEqual([{ ...file("/a"), exe: "/usr/bin/cat", stack }]);
  expect(told.denials.map(({ path }) => path)).toEqual(["/b"]);
  reports(undefined, false).violation(file("/a"));
  expect(told.violations).toEqual([file("/a")]);
  reports(() => false).denial(openat("/a"));
  expect(told.denials).toHaveLength(1);
});

it("goes on where nobody listens to denials", () => {
  const run = new Reports({}, new ViolationTally(), () => true, true);
  run.denial(openat("/kept"));
  vi.advanceTimersByTime(30); // a loop that took none out held the whole agent here
  run.close([]);
});

it("takes for one another a link and its file, a thread and its process, and never two files of one process", () => {
  const run = reports();
  run.violation(file("/etc/shadow"));
  run.denial(openat("/workspace/link"));
  run.violation(file("/c", 71));
  run.denial(openat("/c", 70));
  run.denial(openat("/d", 7));
  vi.advanceTimersByTime(30);
  expect(told.violations.map(({ exe }) => exe)).toEqual(["/usr/bin/cat", "/usr/bin/cat"]);
  expect(told.denials.map(({ path }) => path)).toEqual(["/d"]);
});

it("gives every equal violation the stack of their one denial, and counts a flood of both once", () => {
  const run = reports();
  for (let i = 0; i < MAX_VIOLATIONS + 5; i++) {
    run.violation(file("/a"));
    if (i === 0) run.denial(openat("/a"));
  }
  run.denial(openat("/z"));
  run.close([]);
  expect(told.violations).toHaveLength(MAX_VIOLATIONS);
  expect(told.violations.every(({ exe }) => exe === "/usr/bin/cat")).toBe(true);
  expect(tally.dropped).toBe(5);
  expect(told.denials).toEqual([]);
});
