import { spawnSync } from "node:child_process";
import { FrameReader } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startMessage } from "./start-message.ts";

const word = fc.oneof(
  fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "").replace(/[\ud800-\udfff]/g, "")),
  fc.constantFrom("'", "'\\''", "$(id)", "`id`", "\n", "\\", "-n", "--", "!", "*", "~", '"', "'; exit 9 #", "\r\n"),
);

describe("what bash is told", () => {
  it("is read back by bash as it was given, whatever the words are", () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), word, (argv, value) => {
        const bytes = startMessage("bash", { entry: "/w/main.sh", argv, env: { KEY: value }, display: false });
        expect(bytes.indexOf(0)).toBe(bytes.length - 1);
        const script = `${Buffer.from(bytes.subarray(0, -1))}\nprintf '%s\\0' "$KEY" "$@"`;
        const { stdout } = spawnSync("/bin/bash", ["-c", `declare -A __plastron_before; ${script}`], { encoding: "utf8" });
        expect(stdout).toBe([value, ...argv].map((text) => `${text}\0`).join(""));
      }),
      { numRuns: 60 },
    );
  });

  it("refuses what bash cannot be told", () => {
    const start = { entry: "/w/main.sh", argv: [], env: {}, display: false };
    expect(() => startMessage("bash", { ...start, argv: ["a\0b"] })).toThrow(RangeError);
    expect(() => startMessage("bash", { ...start, env: { A: "\0" } })).toThrow(RangeError);
    expect(() => startMessage("bash", { ...start, env: { "A=$(id)": "1" } })).toThrow(/not the name of a variable/);
    expect(() => startMessage("python3", { ...start, env: { "": "1" } })).toThrow(RangeError);
  });
});

it("tells Python and Node one frame of JSON", () => {
  const start = { entry: "/w/main.py", argv: ["ü"], env: { A: "'" }, display: true };
  const [frame, ...rest] = new FrameReader().push(startMessage("python3", start));
  expect(rest).toEqual([]);
  expect(frame?.type).toBe("B");
  expect(JSON.parse(Buffer.from(frame?.payload ?? "").toString())).toEqual(start);
});
