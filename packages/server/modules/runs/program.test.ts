import { DEFAULT_LIMITS } from "@plastron/contracts";
import { expect, it } from "vitest";
import { parseRun, runRequestSchema, sessionRunRequestSchema } from "./program.ts";

it.each([
  ["python", "python3"],
  ["python3", "python3"],
  ["javascript", "nodejs"],
  ["nodejs", "nodejs"],
  ["bash", "bash"],
])("knows %s as %s", (language, runtime) => {
  expect(parseRun(runRequestSchema.parse({ language, code: "" })).program.runtime).toBe(runtime);
});

it("fills in the default limits, and takes timeout_ms for the wall clock", () => {
  const limits = (body: object) => parseRun(runRequestSchema.parse({ language: "bash", code: "", ...body })).program.limits;
  expect(limits({})).toEqual(DEFAULT_LIMITS);
  expect(limits({ limits: { pids: 9 } })).toEqual({ ...DEFAULT_LIMITS, pids: 9 });
  expect(limits({ limits: { wall_ms: 100 }, timeout_ms: 200 })).toEqual({ ...DEFAULT_LIMITS, wall_ms: 200 });
});

it("has nothing in a program for the agent that is not the program's", () => {
  const request = runRequestSchema.parse({ language: "bash", code: "", policy: "p", min_tier: 2, stream: true, timeout_ms: 100 });
  expect(Object.keys(parseRun(request).program).sort()).toEqual(["args", "code", "collect", "env", "files", "imports", "limits", "runtime", "stdin"]);
});

it("refuses text that no interpreter can read as it was sent, in a session as well", () => {
  for (const code of ["a\0b", "\ud800"]) {
    expect(runRequestSchema.safeParse({ language: "bash", code }).success).toBe(false);
    expect(sessionRunRequestSchema.safeParse({ code }).success).toBe(false);
  }
});
