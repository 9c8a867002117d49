import { expect, test } from "vitest";
import { DEFAULT_GATE } from "./policy.ts";
import { parseUpdates, protectedBranch, refusedUpdate } from "./push.ts";

const [A, B, ZERO] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];

test("a hook's lines are read, also of refs with blanks, and nothing else is", () => {
  expect(parseUpdates(`${A} ${B} refs/heads/main\n${ZERO} ${B} refs/heads/a b\n${A} ${ZERO} refs/tags/x\n`)).toEqual([
    { ref: "refs/heads/main", old: A, new: B },
    { ref: "refs/heads/a b", old: null, new: B },
    { ref: "refs/tags/x", old: A, new: null },
  ]);
  expect(parseUpdates(`${"a".repeat(64)} ${"0".repeat(64)} refs/heads/main`)).toMatchObject([{ new: null }]);
  for (const line of ["x", `${A} refs/heads/main`, `${A} ${B}`, `${A} ${B} `]) expect(() => parseUpdates(line)).toThrow(/a hook's line/);
});

test.each([
  ["refs/heads/main", "main"],
  ["refs/heads/release/1.2/x", "release/1.2/x"],
  ["refs/heads/feature", null],
  ["refs/heads/main2", null],
  ["refs/tags/main", null],
  ["refs/heads/x/main", null],
  ["refs/remotes/origin/main", null],
])("%s is the protected branch %s", (ref, branch) => {
  expect(protectedBranch(ref, DEFAULT_GATE)).toBe(branch);
});

const commit = (parents: number, elsewhere = false) => ({ commit: A, parents, elsewhere });
test.each([
  ["a merge", { old: A, new: B }, { forward: true, commits: [commit(2)] }, null],
  ["a branch that was pushed before, fast-forwarded", { old: A, new: B }, { forward: true, commits: [commit(1, true), commit(1, true)] }, null],
  ["a commit by itself", { old: A, new: B }, { forward: true, commits: [commit(1)] }, "direct_push"],
  ["a commit on top of a merge", { old: A, new: B }, { forward: true, commits: [commit(1), commit(2)] }, "direct_push"],
  ["a merge on top of a commit", { old: A, new: B }, { forward: true, commits: [commit(2), commit(1)] }, "direct_push"],
  ["a rewritten history", { old: A, new: B }, { forward: false, commits: [commit(2)] }, "protected"],
  ["a deletion", { old: A, new: null }, null, "protected"],
  ["the first push", { old: null, new: B }, { forward: true, commits: [commit(0)] }, null],
])("%s", (_, update, facts, rule) => {
  expect(refusedUpdate({ ref: "refs/heads/main", ...update }, "main", facts, DEFAULT_GATE)?.rule ?? null).toBe(rule);
});
