import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Artifact, writeArtifacts } from "./artifacts.ts";

let place: string;
let out: string;
let victim: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-artifacts-"));
  out = join(place, "out");
  victim = join(place, "victim");
  writeFileSync(victim, "precious");
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const artifact = (path: string, text = "owned"): Artifact => ({ path, size: text.length, content: Buffer.from(text).toString("base64"), truncated: false });

describe("writeArtifacts", () => {
  it("writes files and their directories, never executable", () => {
    expect(writeArtifacts([artifact("a.txt", "1"), artifact("deep/er/b.bin", "2")], out, false)).toEqual(["a.txt", "deep/er/b.bin"]);
    expect(readFileSync(join(out, "deep/er/b.bin"), "utf8")).toBe("2");
    expect(statSync(join(out, "a.txt")).mode & 0o111).toBe(0);
    expect(readdirSync(out).sort()).toEqual(["a.txt", "deep"]);
  });

  it.each(["../victim", "a/../../victim", "/etc/x", "", ".", "a//b", "a/./b", "a\0b", "a\\b", "a\x1b[2Jb"])(
    "refuses the name %j and writes nothing",
    (path) => {
      // What a plain write would do with it: the first of them reaches the victim.
      if (path === "../victim") expect(join(out, path)).toBe(victim);
      expect(() => writeArtifacts([artifact("good"), artifact(path)], out, true)).toThrow(expect.objectContaining({ code: "conflict" }));
      expect(readFileSync(victim, "utf8")).toBe("precious");
      expect(existsSync(join(out, "good"))).toBe(false);
    },
  );

  it("does not write through a link that lies where the file goes", () => {
    mkdirSync(out);
    symlinkSync(victim, join(out, "link"));
    // The attack works on a plain write …
    writeFileSync(join(out, "link"), "owned by a plain write");
    expect(readFileSync(victim, "utf8")).toBe("owned by a plain write");
    writeFileSync(victim, "precious");
    // … and not here: refused, or the link itself replaced.
    expect(() => writeArtifacts([artifact("link")], out, false)).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(readFileSync(victim, "utf8")).toBe("precious");
    writeArtifacts([artifact("link")], out, true);
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(join(out, "link")).isSymbolicLink()).toBe(false);
  });

  it("does not go through a directory that is a link", () => {
    mkdirSync(out);
    symlinkSync(place, join(out, "sub"));
    expect(() => writeArtifacts([artifact("sub/victim")], out, true)).toThrow(expect.objectContaining({ code: "conflict" }));
    expect(readFileSync(victim, "utf8")).toBe("precious");
  });

  it("keeps what is there unless told to replace it, and leaves no partial file", () => {
    writeArtifacts([artifact("a", "old")], out, false);
    expect(() => writeArtifacts([artifact("a", "new")], out, false)).toThrow(expect.objectContaining({ hint: expect.stringContaining("--overwrite") }));
    expect(readFileSync(join(out, "a"), "utf8")).toBe("old");
    writeArtifacts([artifact("a", "new")], out, true);
    expect(readFileSync(join(out, "a"), "utf8")).toBe("new");
    expect(readdirSync(out)).toEqual(["a"]);
  });
});
