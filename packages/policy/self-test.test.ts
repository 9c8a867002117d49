import type { Confinement, FidelityRow, SelfTest } from "@plastron/contracts";
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

/** Exit codes by program; everything else does as it should. */
function portThat(codes: Record<string, number | null> = {}) {
  const ran: string[] = [];
  return {
    ran,
    run: async ({ code }: { code: string }, given: Confinement) => {
      expect(given).toBe(confinement);
      ran.push(code);
      return { exit_code: code in codes ? (codes[code] as number | null) : code.startsWith("forbidden") ? 13 : 0, stdout: "", stderr: "a\nlast line" };
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

test("a test that two rows share runs once", async () => {
  const port = portThat();
  const results = await runSelfTests([row("r", ["a"]), row("s", ["a", "b"])], confinement, port);
  expect(results.map(({ verdict }) => verdict)).toEqual(["passed", "passed"]);
  expect(port.ran).toEqual(["forbidden a", "allowed a", "forbidden b", "allowed b"]);
});
