import { describe, expect, it } from "vitest";
import { chooseLanguage } from "./language.ts";

describe("chooseLanguage", () => {
  it.each([
    ["a.py", "", "python3"],
    ["a.mjs", "", "nodejs"],
    ["dir.py/a.cjs", "", "nodejs"],
    ["A.JS", "", "nodejs"],
    ["a.sh", "", "bash"],
    ["tool", "#!/usr/bin/env -S python3.11 -u\n", "python3"],
    ["tool", "#!/usr/bin/env A=1 node\n", "nodejs"],
    ["-", "#!/bin/sh\necho", "bash"],
    ["-", "#! /usr/bin/python\n", "python3"],
  ])("sees %s %j as %s", (file, code, language) => {
    expect(chooseLanguage(file, code, undefined)).toBe(language);
  });

  it("prefers the flag to the suffix", () => {
    expect(chooseLanguage("a.py", "", "node")).toBe("nodejs");
  });

  it.each([
    ["a.rb", "", undefined],
    ["-", "print(1)", undefined],
    ["-", "#!/usr/bin/env ruby", undefined],
    ["a.py", "", "cobol"],
    ["a.py", "", "constructor"],
  ])("refuses %s %j with --language %s", (file, code, flag) => {
    expect(() => chooseLanguage(file, code, flag)).toThrow(expect.objectContaining({ code: "unsupported_runtime" }));
  });
});
