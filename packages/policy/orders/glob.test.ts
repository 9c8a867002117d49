import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatches } from "./glob.ts";

describe("globs", () => {
  it.each([
    ["/etc/shadow", "/etc/shadow", true],
    ["/etc/shadow", "/etc/shadow-", false],
    ["/etc/*", "/etc/a", true],
    ["/etc/*", "/etc/a/b", false],
    ["/etc/**", "/etc/a/b", true],
    ["/etc/**", "/etc", false],
    ["/**/.ssh/**", "/var/lib/app/.ssh/id", true],
    ["/**/.ssh/**", "/.ssh/id", true],
    ["/**/.ssh/**", "/a.ssh/id", false],
    ["/**/**/a", "/a", true],
    ["/**/ping", "/bin/ping", true],
    ["/**ping", "/bin/fping", true],
    ["/proc/[0-9]*/mem", "/proc/17/mem", true],
    ["/proc/[0-9]*/mem", "/proc/self/mem", false],
    ["/sys/[^f]*/**", "/sys/firmware/x", false],
    ["/sys/[^f]*/**", "/sys/kernel/x", true],
    ["/a?c", "/a/c", false],
    ["/a?c", "/abc", true],
    ["/a.c", "/abc", false],
    ["/[", "/[", true],
  ])("%s names %s: %s", (glob, path, named) => expect(globMatches(glob, path)).toBe(named));

  it("are matched in little time, whatever they are", () => {
    const begun = performance.now();
    expect(globMatches(`/${"**a".repeat(40)}`, `/${"a".repeat(2000)}b`)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(2000);
  });

  it("name themselves where they have no signs", () => {
    fc.assert(fc.property(fc.stringMatching(/^(\/[a-z.+(){}^$|\\-]{1,8}){1,5}$/), (path) => globMatches(path, path)));
  });
});
