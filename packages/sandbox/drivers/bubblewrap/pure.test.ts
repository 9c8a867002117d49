import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCgroups, makeCgroup } from "./cgroup.ts";
import { globMatches } from "./glob.ts";
import { type Observed, outcomeOf } from "./outcome.ts";
import { places } from "./places.ts";
import { workspaceFiles } from "./staging.ts";

describe("a glob", () => {
  it("keeps * and ? inside one name and lets ** cross", () => {
    const yes = [
      ["*.txt", "a.txt"],
      ["**/*.txt", "a.txt"],
      ["**/*.txt", "x/y/a.txt"],
      ["out/**", "out/a/b"],
      ["a?c", "abc"],
      ["**", "x/y"],
      ["a/**/b", "a/b"],
    ];
    const no = [
      ["*.txt", "x/a.txt"],
      ["a?c", "a/c"],
      ["out/*", "out/a/b"],
      ["**/b", "a/bb"],
      ["", "a"],
      ["a/**/b", "a/c"],
    ];
    for (const [glob, path] of yes) expect(globMatches(glob as string, path as string), `${glob} ${path}`).toBe(true);
    for (const [glob, path] of no) expect(globMatches(glob as string, path as string), `${glob} ${path}`).toBe(false);
  });

  it("agrees with a regular expression on every short input", () => {
    const part = fc.array(fc.constantFrom("a", "b", "*", "?"), { maxLength: 4 }).map((letters) => letters.join(""));
    const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 5 }).map((letters) => letters.join(""));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 3 }), fc.array(name, { minLength: 1, maxLength: 3 }), (globParts, names) => {
        fc.pre(!globParts.includes("**"));
        const expression = globParts.map((text) => text.replaceAll("?", "[^/]").replaceAll(/\*+/g, "[^/]*")).join("/");
        return globMatches(globParts.join("/"), names.join("/")) === new RegExp(`^${expression}$`).test(names.join("/"));
      }),
      { numRuns: 2000 },
    );
  });

  it("made to be slow is not", () => {
    const began = process.threadCpuUsage();
    expect(globMatches(`${"*a".repeat(120)}b`, "a".repeat(1000))).toBe(false);
    expect(globMatches(`${"**/".repeat(80)}x`, "a/".repeat(400))).toBe(false);
    expect(process.threadCpuUsage(began).user).toBeLessThan(500_000);
  });
});

describe("the outcome of a run", () => {
  const seen: Observed = {
    waitStatus: 0,
    bubblewrapCode: 0,
    ended: null,
    oomKills: 0,
    pidsRefused: 0,
    workspaceFull: false,
    stdoutTruncated: false,
    stderrTruncated: false,
    artifactsIncomplete: false,
  };
  const outcome = (part: Partial<Observed>) => outcomeOf({ ...seen, ...part }, DEFAULT_LIMITS);

  it("is completed only with code 0 and no limit hit", () => {
    expect(outcome({})).toEqual({ status: "completed", exit_code: 0, signal: null, reason: null, limits_hit: [] });
    expect(outcome({ waitStatus: 3 << 8, bubblewrapCode: 3 })).toMatchObject({ status: "failed", exit_code: 3 });
    expect(outcome({ stderrTruncated: true })).toMatchObject({ status: "output_truncated", exit_code: 0, limits_hit: ["stderr"] });
  });

  it("tells exit code 137 from a kill", () => {
    expect(outcome({ waitStatus: 137 << 8, bubblewrapCode: 137 })).toMatchObject({ exit_code: 137, signal: null });
    expect(outcome({ waitStatus: 9, bubblewrapCode: 137 })).toMatchObject({ exit_code: null, signal: "SIGKILL" });
    expect(outcome({ waitStatus: null, bubblewrapCode: 159 })).toMatchObject({ exit_code: null, signal: "SIGSYS" });
    expect(outcome({ waitStatus: 11 | 0x80, bubblewrapCode: 139 })).toMatchObject({ signal: "SIGSEGV" });
  });

  it("names the strongest of several limits and lists all", () => {
    const all = { oomKills: 1, pidsRefused: 2, workspaceFull: true, stdoutTruncated: true };
    expect(outcome(all)).toMatchObject({ status: "memory_exceeded", limits_hit: ["memory", "pids", "stdout", "workspace"] });
    expect(outcome({ ...all, ended: { by: "wall" } })).toMatchObject({ status: "timed_out", exit_code: null });
    expect(outcome({ ...all, ended: { by: "caller", reason: "why" } })).toMatchObject({ status: "killed", reason: "why" });
  });
});

describe("places", () => {
  it("are bounded, queue in order and refuse beyond the queue", async () => {
    const room = places(1, 1);
    const first = await room.take();
    const second = room.take();
    await expect(room.take()).rejects.toMatchObject({ code: "overloaded", retryAfterSeconds: 1 });
    expect([room.taken, room.waiting]).toEqual([1, 1]);
    first.free();
    first.free();
    const place = await second;
    expect([room.taken, room.waiting, place.number]).toEqual([1, 0, 0]);
    place.free();
    expect(room.taken).toBe(0);
  });

  it("are not kept for those who stopped waiting", async () => {
    const room = places(1, 5);
    const first = await room.take();
    const abort = new AbortController();
    const left = room.take(abort.signal);
    abort.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    first.free();
    expect((await room.take()).number).toBe(0);
  });
});

describe("files of a run", () => {
  const files = (paths: string[]) => () =>
    workspaceFiles({ runtime: "python3", code: "", files: paths.map((path) => ({ path, content: "", encoding: "utf8", executable: false })) });

  it("that need one path twice are refused", () => {
    expect(files(["a/b", "a/c", "ab"])).not.toThrow();
    for (const clash of [["a", "a"], ["a", "a/b"], ["a/b/c", "a/b"], ["main.py"], ["main.py/x"]])
      expect(files(clash), clash.join()).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});

describe("cgroup hierarchies", () => {
  it("are told apart by what is mounted", () => {
    const v1 = "cgroup /c/memory cgroup rw,memory 0 0\ncgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\ncgroup /c/pids cgroup rw,pids 0 0\n";
    const unified = "cgroup2 /c/unified cgroup2 rw,nosuid 0 0\n";
    expect(findCgroups(v1)).toMatchObject({ kind: "v1", controllers: { memory: "/c/memory", cpuacct: "/c/cpu,cpuacct" } });
    expect(findCgroups(v1 + unified)).toMatchObject({ kind: "hybrid" });
    expect(findCgroups(unified)).toEqual({ kind: "v2", root: "/c/unified" });
    expect(findCgroups("proc /proc proc rw 0 0\n").kind).toBe("none");
  });

  it("that lack a limit's file are refused, not used without it", () => {
    const root = mkdtempSync(join(tmpdir(), "plastron-cgroup-"));
    try {
      expect(() => makeCgroup({ kind: "v2", root }, "plastron", "run-0", DEFAULT_LIMITS, 0)).toThrow("no memory.max");
      expect(readdirSync(join(root, "plastron"))).not.toContain("run-0");
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});
