import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { globMatches } from "../orders/glob.ts";
import { pathGlobs, sourceGlobs } from "./pattern.ts";

const reading = (pattern: string) => {
  const read = pathGlobs(pattern);
  return "globs" in read ? read.globs : "fault" in read ? "illegal" : "never";
};
const matches = (pattern: string, path: string) => (reading(pattern) as string[]).some((glob) => globMatches(glob, path));

describe("the patterns of upstream's Test_newBpfPathRule", () => {
  test.each([
    "/**/devices/ta*",
    "/dwa**/devices/*",
    "/**dwad/devices/*/dwa",
    "/dwad/d**evices/*/",
    "/dwad/*/**devices/ta*",
    "/**/devices/**/tasks",
    "/devices**/**/tasks",
    "/*/devices/tda*",
    "/*/*",
    "/*devices/ta*",
    "/devices/*ta",
    "/etc/*",
    `${"x".repeat(64)}*xx`,
    `x*${"x".repeat(64)}`,
  ])("%s is refused", (pattern) => {
    expect(reading(pattern)).toBe("illegal");
  });

  test("its three legal ones match what they say", () => {
    expect(reading("/**/devices/ta")).toEqual(["/**/devices/ta"]);
    expect(reading("passwd*")).toEqual(["/**/passwd*"]);
    expect(reading("*.log")).toEqual(["/**/*.log"]);
    expect([matches("passwd*", "/etc/passwd-"), matches("passwd*", "/passwd"), matches("passwd*", "/etc/passwd/x")]).toEqual([true, true, false]);
    expect([matches("*.log", "/var/log/a.log"), matches("*.log", "/a.log/b")]).toEqual([true, false]);
  });
});

describe("a pattern", () => {
  test("of 63 bytes is the longest, counted in bytes", () => {
    expect(reading(`/${"x".repeat(62)}`)).not.toBe("illegal");
    expect(reading(`/${"x".repeat(63)}`)).toBe("illegal");
    expect(reading(`/${"é".repeat(32)}`)).toBe("illegal");
  });

  test("without a star means that path, and no longer one as upstream's prefix does", () => {
    expect([matches("/etc/passwd", "/etc/passwd"), matches("/etc/passwd", "/etc/passwd-")]).toEqual([true, false]);
    expect([matches("/etc/", "/etc/x/y"), matches("/etc/", "/etc")]).toEqual([true, false]);
  });

  test.each(["", "a***b", "/a\u0000b", "/a\nb", "****"])("%j is refused", (pattern) => {
    expect(reading(pattern)).toBe("illegal");
  });

  test.each(["passwd", "etc**", "/a/../b", "/a//b", "/a/."])("%j can match no path, which is said", (pattern) => {
    expect(reading(pattern)).toBe("never");
  });

  test("with characters that globs read takes each for any one", () => {
    expect(matches("/a[b]?", "/a[b]?")).toBe(true);
    expect(matches("/a[b]?", "/ab")).toBe(false);
  });

  test("matches just what upstream's prefix and suffix match, which may overlap", () => {
    const short = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 4 });
    fc.assert(
      fc.property(short, short, fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 7 }), (head, tail, rest) => {
        const path = `/${rest}`.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
        const read = reading(`/${head}**${tail}`);
        // What is not a canonical prefix matches no canonical path in either.
        const upstream = path.startsWith(`/${head}`) && path.endsWith(tail);
        if (upstream) expect((read as string[]).some((glob) => globMatches(glob, path))).toBe(true);
        const ours = (read as string[]).some((glob) => globMatches(glob, path));
        if (ours && !upstream) expect(`/${head}**${tail}`).toContain("/**/");
      }),
    );
    const names = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 4 });
    fc.assert(
      fc.property(names, names, names, (head, tail, name) => {
        if (name !== "") expect(matches(`${head}*${tail}`, `/x/${name}`)).toBe(name.startsWith(head) && name.endsWith(tail));
      }),
    );
  });

  test("for what is mounted need not be a path", () => {
    expect(sourceGlobs("proc")).toEqual({ globs: ["proc"] });
    expect(sourceGlobs("/proc**")).toEqual({ globs: ["/proc**"] });
    expect(sourceGlobs("**")).toEqual({ globs: ["**"] });
    expect(sourceGlobs("sd*")).toEqual({ globs: ["sd*", "/**/sd*"] });
  });
});
