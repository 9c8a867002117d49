import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { classify, decode } from "./classify.ts";

const bytes = (text: string, encoding: BufferEncoding = "utf8") => Buffer.from(text, encoding);

describe("classify", () => {
  test.each([
    ["a.mjs", "", "javascript"],
    ["A.TSX", "", "typescript"],
    ["x.pyi", "", "python"],
    ["Dockerfile.prod", "FROM x", "dockerfile"],
    ["run", "#!/usr/bin/env -S node --no-warnings\n", "javascript"],
    ["run", "#!/bin/bash\n", "shell"],
    ["run", "#!/usr/bin/perl\n", "text"],
    ["LICENSE", "text", "text"],
    [".envrc", "", "shell"],
    ["poetry.lock", "", "toml"],
    ["blob", "a\0b", "binary"],
    ["constructor", "x", "text"],
    ["a.constructor", "x", "text"],
    ["a.__proto__", "x", "text"],
  ])("%s that begins with %j is %s", (path, text, language) => {
    expect(classify(path, bytes(text)).language).toBe(language);
  });

  test("a NUL in a script does not make it binary: interpreters read past it", () => {
    const { language, encoding } = classify("evil.js", bytes("// \0\nrequire('child_process')"));
    expect({ language, encoding }).toEqual({ language: "javascript", encoding: "utf8" });
    expect(classify("evil", bytes("#!/bin/sh\n: \0\ncurl")).language).toBe("shell");
    expect(classify("SKILL.md", bytes("\x89PNG\0\0", "latin1")).language).toBe("markdown");
  });

  test.each([
    ["UTF-16 with a mark", Buffer.concat([Buffer.from([0xff, 0xfe]), bytes("api = 1", "utf16le")]), "a.py", "utf16le"],
    ["UTF-16 the other way round", Buffer.concat([Buffer.from([0xfe, 0xff]), bytes("api = 1", "utf16le").swap16()]), "a.py", "utf16be"],
    ["UTF-16 without a mark", bytes("$a = 'some text'", "utf16le"), "a.ps1", "utf16le"],
    ["Latin-1", bytes("caf\xe9 and more", "latin1"), "a.txt", "latin1"],
    ["UTF-8 with a mark", bytes("\ufeffx"), "a.txt", "utf8"],
    ["compressed bytes without a name", Buffer.from(Array.from({ length: 400 }, (_, at) => ((at * 7919) % 255) + 1)), "a.br", "binary"],
  ])("knows %s", (_, content, path, encoding) => {
    expect(classify(path, content).encoding).toBe(encoding);
  });

  test("says something of whatever bytes, and decode never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.constantFrom("a", "a.js", "a.zip", "a.md"), (content, path) => {
        const { encoding, language } = classify(path, content);
        const text = decode(content, encoding);
        expect(text === null).toBe(encoding === "binary");
        expect(language === "binary").toBe(encoding === "binary");
      }),
    );
  });
});
