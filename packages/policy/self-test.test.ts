import type { Confinement, FidelityRow, SelfTest, Violation } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { runSelfTests } from "./self-test.ts";
import { weakConfinement } from "./weak.ts";

const confinement: Confinement = weakConfinement({});
const selfTest = (id: string): SelfTest => ({ id, runtime: "python3", forbidden: `forbidden ${id}`, allowed: `allowed ${id}`, weakness: null });
const row = (rule: string, ids: string[], fidelity: FidelityRow["fidelity"] = "exact"): FidelityRow => ({
  rule,
  category: "x",
  fidelity,
  mechanism: "m",
  note: "",
  self_tests: ids.map(selfTest),
});

type Records = Pick<Violation, "rule_id" | "action">[];

/** Exit codes and records by program; everything else does as it should where rules deny. */
function portThat(codes: Record<string, number | null> = {}, records: Record<string, Records> = {}) {
  const ran: string[] = [];
  return {
    ran,
    run: async ({ code }: { code: string }, given: Confinement) => {
      expect(given).toBe(confinement);
      ran.push(code);
      const violations = records[code] ?? [];
      return {
        violations,
        exit_code: code in codes ? (codes[code] as number | null) : code.startsWith("forbidden") ? 13 : 0,
        stdout: "",
        stderr: "a\nlast line",
      };
    },
  };
}

describe("a row", () => {
  test("passes when what it forbids is denied and what it allows works", async () => {
    const [result] = await runSelfTests([row("r", ["a", "b"])], confinement, portThat());
    expect(result).toMatchObject({ rule: "r", verdict: "passed" });
    expect(result?.tests.map(({ passed, why }) => [passed, why])).toEqual([
      [true, ""],
      [true, ""],
    ]);
  });

  test.each([
    ["the forbidden was possible", { "forbidden a": 0 }, "what it forbids was possible"],
    ["the allowed was denied", { "allowed a": 13 }, "what it allows was denied"],
    ["the forbidden program broke", { "forbidden a": 1 }, "the test of what it forbids broke (exit 1): last line"],
    ["the program was killed", { "forbidden a": null }, "broke (exit none)"],
  ])("fails when %s", async (_, codes, why) => {
    const [result] = await runSelfTests([row("r", ["a"])], confinement, portThat(codes));
    expect(result?.verdict).toBe("failed");
    expect(result?.tests[0]?.why).toContain(why);
  });

  test("fails when it claims enforcement and nothing tests it", async () => {
    expect((await runSelfTests([row("r", [])], confinement, portThat()))[0]?.verdict).toBe("failed");
  });

  test("that claims nothing is neither", async () => {
    expect((await runSelfTests([row("r", [], "unsupported")], confinement, portThat()))[0]?.verdict).toBe("unclaimed");
  });

  test("fails with the reason when no sandbox could be made", async () => {
    const [result] = await runSelfTests([row("r", ["a"])], confinement, { run: () => Promise.reject(new Error("no place left")) });
    expect(result?.verdict).toBe("failed");
    expect(result?.tests[0]?.why).toContain("no place left");
  });
});

describe("a row that only observes", () => {
  const observing = (rule: string, ids: string[]): FidelityRow => ({ ...row(rule, ids), observes: true });
  const recorded: Records = [{ rule_id: "r", action: "AUDIT" }];

  test("passes when what it names passes and is recorded, and what it allows works", async () => {
    const [result] = await runSelfTests([observing("r", ["a"])], confinement, portThat({ "forbidden a": 0 }, { "forbidden a": recorded }));
    expect(result).toMatchObject({ verdict: "passed", observes: true, tests: [{ passed: true, why: "" }] });
  });

  test.each<[string, Record<string, number>, Record<string, Records>, string]>([
    ["it passes and nothing is recorded", { "forbidden a": 0 }, {}, "what it observes passed and was not recorded"],
    ["another rule has the record", { "forbidden a": 0 }, { "forbidden a": [{ rule_id: "s", action: "AUDIT" }] }, "was not recorded"],
    ["the record says DENIED", { "forbidden a": 0 }, { "forbidden a": [{ rule_id: "r", action: "DENIED" }] }, "was not recorded"],
    ["only the allowed program is recorded", { "forbidden a": 0 }, { "allowed a": recorded }, "was not recorded"],
    ["it is denied although it is recorded", { "forbidden a": 13 }, { "forbidden a": recorded }, "what it observes was denied"],
    ["the program broke", { "forbidden a": 1 }, { "forbidden a": recorded }, "the test of what it observes broke (exit 1): last line"],
    ["the allowed is denied", { "forbidden a": 0, "allowed a": 13 }, { "forbidden a": recorded }, "what it allows was denied"],
  ])("fails when %s", async (_, codes, records, why) => {
    const [result] = await runSelfTests([observing("r", ["a"])], confinement, portThat(codes, records));
    expect(result?.verdict).toBe("failed");
    expect(result?.tests[0]?.why).toContain(why);
  });

  test("and has nothing to show is neither", async () => {
    expect((await runSelfTests([observing("r", [])], confinement, portThat()))[0]?.verdict).toBe("unclaimed");
  });

  test("is judged by its own record where it shares a test with one that denies", async () => {
    const port = portThat({ "forbidden a": 0 }, { "forbidden a": recorded });
    const results = await runSelfTests([observing("r", ["a"]), row("s", ["a"]), observing("t", ["a"])], confinement, port);
    expect(results.map(({ verdict }) => verdict)).toEqual(["passed", "failed", "failed"]);
    expect(port.ran).toEqual(["forbidden a", "allowed a"]);
  });
});

test("a test that two rows share runs once", async () => {
  const port = portThat();
  const results = await runSelfTests([row("r", ["a"]), row("s", ["a", "b"])], confinement, port);
  expect(results.map(({ verdict }) => verdict)).toEqual(["passed", "passed"]);
  expect(port.ran).toEqual(["forbidden a", "allowed a", "forbidden b", "allowed b"]);
});
