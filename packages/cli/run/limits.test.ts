import { limitsSchema } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseDuration, parseLimits, parseSize } from "./limits.ts";

describe("parseLimits", () => {
  it("turns names and units into the fields of a request", () => {
    expect(parseLimits(["memory=256m", "wall=10s", "cpus=0.5", "pids=50", "output=1k", "workspace=2g", "files=256"])).toEqual({
      memory_bytes: 268_435_456,
      wall_ms: 10_000,
      cpus: 0.5,
      pids: 50,
      output_bytes: 1024,
      workspace_bytes: 2_147_483_648,
      open_files: 256,
    });
  });

  it("takes several in one flag, and the later of two", () => {
    expect(parseLimits(["memory=1g,wall=1500ms", "wall=2m"])).toEqual({ memory_bytes: 1_073_741_824, wall_ms: 120_000 });
  });

  it("reads rate rules, and none as no such rule", () => {
    const given = parseLimits(["forks-per-s=100,bytes-out=10m", "denied-per-s=none", "wall=1s"]);
    expect(given).toEqual({ wall_ms: 1000, rates: { forks_per_s: 100, bytes_out: 10_485_760, denied_per_s: null } });
    expect(limitsSchema.parse(given).rates).toEqual({ forks_per_s: 100, bytes_out: 10_485_760, denied_per_s: null, connections_per_s: 500 });
  });

  it.each([
    "forks-per-s=many",
    "forks-per-s=",
    "rates=1",
    "memory=none",
    "",
    "memory",
    "memory=",
    "memory=lots",
    "ram=1g",
    "wall=-1s",
    "pids=1.5",
    "cpus=two",
    "__proto__=1",
    "constructor=1",
  ])("refuses %j with exit code 2's error", (text) => {
    expect(() => parseLimits([text])).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  it("gives what the schema takes, for every whole number of MiB in range", () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 65_536 }), (mib) => {
        expect(limitsSchema.parse(parseLimits([`memory=${mib}m`])).memory_bytes).toBe(mib * 1024 * 1024);
      }),
    );
  });
});

describe("units", () => {
  it.each([
    ["1", 1],
    ["1k", 1024],
    ["1KiB", 1024],
    ["1.5g", 1_610_612_736],
    ["1t", null],
    ["1e3", null],
  ])("reads the size %j as %j bytes", (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each([
    ["10s", 10_000],
    ["1500ms", 1500],
    ["1.5", 1500],
    ["2m", 120_000],
    ["1h", 3_600_000],
    ["soon", null],
  ])("reads the duration %j as %j ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});
