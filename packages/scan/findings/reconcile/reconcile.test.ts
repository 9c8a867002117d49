import type { Finding } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { matchOf } from "../../testing/result.ts";
import { findingsOf } from "../index.ts";
import { identitiesOf, knownAt, movesOf, reconcile } from "./index.ts";

type Wanted = Parameters<typeof matchOf>[0];
const scan = (...wanted: Wanted[]): Finding[] => findingsOf(wanted.map((each) => matchOf(each))).findings;
const written = (at: string, snippet: string, more: Wanted = {}): Wanted => {
  const match = matchOf({ at });
  return { at, anchor: `${at}|${snippet}`, place: { ...match.place, snippet }, ...more };
};
const CODE = '  exec("convert " + request.query.name);';

describe("what stood at the base is known again", () => {
  test("where lines moved", () => {
    const { pairs, fresh, gone } = reconcile(scan({}), scan({ at: "src/server.js:80:3" }));
    expect([pairs.map(({ how }) => how), fresh, gone]).toEqual([["same"], [], []]);
  });

  test("where its file was renamed, as the moves tell", () => {
    const [base, head] = [scan(written("a.js:3:1", "eval(x)")), scan(written("b.js:3:1", "eval(x)"))];
    expect(reconcile(base, head).fresh).toHaveLength(1);
    const told = reconcile(base, head, [{ from: "a.js", to: "b.js" }]);
    expect(told).toMatchObject({ fresh: [], gone: [], pairs: [{ how: "renamed", worse: false }] });
    expect(identitiesOf(told).get(head[0]?.fingerprint as string)).toBe(base[0]?.fingerprint);
  });

  test("where its function went elsewhere in the file, and where it was formatted anew", () => {
    const base = scan(written("a.js:3:1", CODE));
    for (const snippet of [CODE, "  exec(\n    'convert ' +\n      request.query.name,\n  )"]) {
      expect(reconcile(base, scan(written("a.js:90:1", snippet)))).toMatchObject({ fresh: [], gone: [], pairs: [{ how: "moved_within" }] });
    }
  });

  test("where a formatter put it on a line of its own, in a file of another name", () => {
    const spans = (at: string, snippet: string, call: string) => {
      const column = snippet.indexOf(call) + 1;
      const line = Number(at.split(":")[1]);
      return written(at, snippet, {
        place: { path: at.split(":")[0] as string, line, column, end_line: line, end_column: column + call.length, snippet, snippet_column: 1 },
      });
    };
    const call = "exec(`ping -c 1 ${req.query.host}`, done)";
    const base = scan(spans("a.js:3:1", `app.get("/ping", (req) => ${call});`, call));
    const head = scan(spans("b.js:8:1", `  ${call}`, call));
    expect(reconcile(base, head, [{ from: "a.js", to: "b.js" }])).toMatchObject({ fresh: [], gone: [], pairs: [{ how: "renamed" }] });
    expect(reconcile(base, head)).toMatchObject({ fresh: [], pairs: [{ how: "moved_between" }] });
    const short = (at: string) => scan(spans(at, at.startsWith("a") ? "if (x) run(request.q)" : "  run(request.q)", "run(request.q)"));
    expect(reconcile(short("a.js:3:1"), short("b.js:8:1"))).toMatchObject({ fresh: [{}] });
  });

  test("where its function went to another file; too weak a sign for an exemption to follow", () => {
    const told = reconcile(scan(written("a.js:3:1", CODE)), scan(written("lib/b.js:3:1", CODE)));
    expect(told).toMatchObject({ fresh: [], pairs: [{ how: "moved_between" }] });
    expect(identitiesOf(told).size).toBe(0);
  });

  test("where an advisory got another name, and a secret another file", () => {
    const affected = { purl: "pkg:npm/x@1", ecosystem: "npm", name: "x", version: "1", path: [], direct: true, development: false, fixed: [] };
    const known = { ...affected, reachability: "unknown", kev: false, epss: null } as const;
    const advisory = (aliases: string[]) => ({ at: "package-lock.json:1:1", package: known, aliases, analyser: "dependencies" as const });
    expect(reconcile(scan(advisory(["GHSA-1"])), scan(advisory(["CVE-1", "GHSA-1"])))).toMatchObject({ fresh: [], gone: [] });
    expect(reconcile(scan(secret("a.env:1:1", "d")), scan(secret("b.env:1:1", "d")))).toMatchObject({ fresh: [], gone: [] });
  });
});

describe("what is new cannot hide behind it", () => {
  test.each<[string, Wanted[]]>([
    ["an identical line below it", [{}, { at: "src/server.js:40:3" }]],
    ["an identical line above it", [{ at: "src/server.js:2:3" }, { at: "src/server.js:13:3" }]],
    ["an identical line in another file", [{}, { at: "src/other.js:12:3" }]],
    ["a copy of its file", [{}, { at: "src/server-copy.js:12:3" }]],
  ])("%s", (_, head) => {
    const { fresh, pairs } = reconcile(scan({}), scan(...head), [{ from: "src/server.js", to: "src/server-copy.js" }]);
    expect([fresh.length, pairs.length]).toEqual([1, 1]);
  });

  test("a weak line that replaces a repaired one", () => {
    const head = scan(written("a.js:9:1", '  exec("convert " + request.query.format);'));
    expect(reconcile(scan(written("a.js:3:1", CODE)), head).fresh).toHaveLength(1);
  });

  test("short code in another file", () => {
    expect(reconcile(scan(written("a.js:3:1", "eval(x)")), scan(written("b.js:3:1", "eval(x)"))).fresh).toHaveLength(1);
  });

  test("another secret that looks the same with its middle cut out", () => {
    expect(reconcile(scan(secret("a.env:1:1", "one")), scan(secret("a.env:1:1", "two"))).fresh).toHaveLength(1);
  });

  test("malice where there was a weakness", () => {
    expect(reconcile(scan({}), scan({ verdict: "malice" })).fresh).toHaveLength(1);
  });

  test("what became graver, or went from a test into what runs, is known but counts", () => {
    const worse = reconcile(scan({ severity: "low" }), scan({ severity: "high" }));
    expect([worse.pairs.length, knownAt(worse).size]).toEqual([1, 0]);
    const moved = reconcile(scan(written("test/a.js:3:1", CODE)), scan(written("src/a.js:3:1", CODE)));
    expect([moved.pairs.length, knownAt(moved).size]).toEqual([1, 0]);
  });

  test("in any change there are at least as many new findings as there are more", () => {
    const some = fc.record({ file: fc.constantFrom("a.js", "b.js"), line: fc.integer({ min: 1, max: 30 }), snippet: fc.constantFrom(CODE, "eval(x)", "") });
    const list = fc.uniqueArray(some, { maxLength: 15, selector: ({ file, line }) => `${file}:${line}` });
    fc.assert(
      fc.property(list, list, fc.boolean(), (before, after, renamed) => {
        const findings = (all: typeof before) => scan(...all.map(({ file, line, snippet }) => written(`${file}:${line}:1`, snippet, { anchor: snippet })));
        const [base, head] = [findings(before), findings(after)];
        const { pairs, fresh, gone } = reconcile(base, head, renamed ? [{ from: "a.js", to: "b.js" }] : []);
        expect([pairs.length + fresh.length, pairs.length + gone.length]).toEqual([head.length, base.length]);
        expect(new Set(pairs.map(({ base: each }) => each)).size).toBe(pairs.length);
        expect(fresh.length).toBeGreaterThanOrEqual(head.length - base.length);
      }),
    );
  });
});

test("thousands of equal findings are paired in no time", () => {
  const base = scan(...Array.from({ length: 5000 }, (_, line) => written(`a.js:${line + 1}:1`, "eval(x)", { anchor: "old" })));
  const head = scan(...Array.from({ length: 5100 }, (_, line) => written(`a.js:${line + 7}:1`, "eval(x)", { anchor: "new" })));
  const start = process.cpuUsage();
  const { pairs, fresh } = reconcile(base, head);
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(5_000);
  expect(pairs.length + fresh.length).toBe(5100);
  expect(fresh.length).toBe(100);
});

test("files that only changed their name are moves", () => {
  const of = (files: Record<string, string>) => new Map(Object.entries(files));
  expect(movesOf(of({ a: "1", b: "2", c: "3" }), of({ a: "1", d: "2", e: "3x" }))).toEqual([{ from: "b", to: "d" }]);
  expect(movesOf(of({ a: "1" }), of({ a: "1", copy: "1" }))).toEqual([]);
});

function secret(at: string, digest: string): Wanted {
  const found = { detector: "github", provider: "GitHub", redacted: "ghp_…", digest, state: "unverified" as const };
  return { at, rule: "secrets/github", analyser: "secrets", verdict: "secret", secret: found, place: { ...matchOf({ at }).place, snippet: "KEY=ghp_…" } };
}
