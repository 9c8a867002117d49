/** The whole bench, with few runs: it works, and the peer that it compares with means the same as our filter. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compilePolicy, syscallNumbers } from "@plastron/policy";
import { expect, test } from "vitest";
import { decode, execute } from "../../packages/policy/testing/classic-bpf.ts";
import { ARCHES } from "../../packages/policy/testing/meaning.ts";
import { EVERY_RULE } from "./every-rule.ts";
import type { PolicyReport } from "./index.ts";
import { linearFilter } from "./linear.ts";

test("the list answers as our filter, call by call", () => {
  const { confinement, profile } = compilePolicy(EVERY_RULE, { ...TYPICAL_HOST, notify: false });
  const [ours, list] = [Buffer.from(confinement.seccomp, "base64"), linearFilter(profile, "x86_64")].map(decode) as [
    ReturnType<typeof decode>,
    ReturnType<typeof decode>,
  ];
  const words = [0n, 1n, 2n, 6n, 17n, 26n, 0o755n, 0o4755n, 0o100000n, 0x10000000n, 0x5412n, 0xffffffffn];
  for (const nr of syscallNumbers("x86_64").values()) {
    for (const word of words) {
      for (let index = 0; index < 4; index++) {
        const call = { arch: ARCHES.x86_64, nr, args: [0n, 0n, 0n, 0n, 0n, 0n].with(index, word) };
        expect([nr, word, index, execute(list, call)]).toEqual([nr, word, index, execute(ours, call)]);
      }
    }
  }
});

test("--quick --json measures everything", { timeout: 60_000 }, async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, "..", "main.ts"), "policy", "--quick", "--json"]);
  expect(stderr).toBe("");
  const report = JSON.parse(stdout) as PolicyReport;
  expect(report).toMatchObject({ bench: "policy", settings: { quick: true } });
  expect(report.compile.everything.p50_ms).toBeGreaterThan(0);
  expect(report.filter.ours_instructions).toBeGreaterThan(100);
  if ("unavailable" in report.overhead) expect(report.overhead.unavailable).toContain("compiled");
  else expect(report.overhead.getpid.none_ns).toBeGreaterThan(0);
  expect(report.targets).toHaveLength(3);
});
