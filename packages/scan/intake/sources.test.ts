import { describe, expect, test } from "vitest";
import { parseSource } from "./sources.ts";

describe("what a user may name", () => {
  test.each([
    ["npm:left-pad", { type: "npm", name: "left-pad", version: null }],
    ["npm:@scope/name@1.2.3-rc.1", { type: "npm", name: "@scope/name", version: "1.2.3-rc.1" }],
    ["pypi:zope.interface==5.0", { type: "pypi", name: "zope.interface", version: "5.0" }],
    ["https://example.com/a.git#v1.2", { type: "git", url: "https://example.com/a.git", revision: "v1.2" }],
    ["git+ssh://git@example.com/a.git", { type: "git", url: "ssh://git@example.com/a.git", revision: "HEAD" }],
    ["git@example.com:team/a.git", { type: "git", url: "git@example.com:team/a.git", revision: "HEAD" }],
  ])("%s", (text, source) => {
    expect(parseSource(text)).toEqual(source);
  });

  test.each([
    "npm:git+https://example.com/a.git",
    "npm:../x",
    "npm:file:x",
    "npm:a@file:../x",
    "npm:-g",
    "npm:a@--prefix=/",
    "npm:user/repo",
    "pypi:-r/etc/passwd",
    "pypi:a @ https://example.com/a.whl",
    "pypi:../a",
    "ext::sh -c id",
    "file:///etc",
    "https://-oProxyCommand=id/x",
    "ftp://example.com/a",
  ])("refuses %s: a client would read, build or run something else than a package", (text) => {
    expect(() => parseSource(text)).toThrow();
  });
});
