import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readPackages } from "./packages.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-packages-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(home, name), text);
  return join(home, name);
};

describe("--packages", () => {
  it.each([
    [["numpy==1.26.4,pandas"], ["numpy==1.26.4", "pandas"]],
    [["pandas>=1,<2,numpy"], ["pandas>=1,<2", "numpy"]],
    [
      ["pillow[x,y], @scope/name@^2", "semver"],
      ["pillow[x,y]", "@scope/name@^2", "semver"],
    ],
  ])("%o names %o", (words, packages) => {
    expect(readPackages(words, "python3")).toEqual({ packages });
  });

  it("is a file of the kind that pip or npm reads, with the lock beside it", () => {
    expect(readPackages([file("requirements.txt", "a==1")], "python3")).toEqual({ requirements: "a==1" });
    const manifest = file("package.json", "{}");
    expect(readPackages([manifest], "nodejs")).toEqual({ package_json: "{}" });
    file("package-lock.json", "lock");
    expect(readPackages([manifest], undefined)).toEqual({ package_json: "{}", package_lock: "lock" });
  });

  it("is refused where it names nothing, a file that is not there, or a file and more", () => {
    for (const words of [[""], [","], ["./nothing.txt"], [file("r.txt", ""), "numpy"], [`numpy,${file("s.txt", "")}`]])
      expect(() => readPackages(words, "python3")).toThrow();
  });
});
