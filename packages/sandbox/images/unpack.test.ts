import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeFrame } from "@plastron/contracts";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { imageId, readEntries } from "./listing.ts";
import { Unpacker } from "./unpack.ts";

const BOUNDS = { entries: 100, bytes: 100_000 };
let outer: string;
let root: string;
beforeEach(() => {
  outer = mkdtempSync(join(tmpdir(), "plastron-unpack-"));
  root = join(outer, "tree");
  mkdirSync(root);
});
afterEach(() => rmSync(outer, { recursive: true, force: true }));

type Step = [type: string, payload?: string | Uint8Array];
async function send(...steps: Step[]) {
  const unpacker = new Unpacker(root, BOUNDS);
  for (const [type, payload = ""] of steps) await unpacker.push(encodeFrame(type, payload));
  return unpacker.finish();
}

describe("the tree of a build", () => {
  it("is written as it was sent, and has the name of what was written", async () => {
    const entries = await send(
      ["D", "a"],
      ["D", "a/b"],
      ["F", "a/b/c.py"],
      ["B", "one "],
      ["B", "two"],
      ["G", "run"],
      ["B", "#!"],
      ["F", "empty"],
      ["L", "a/link\0b/c.py"],
      ["L", "up\0a"],
      ["Z"],
    );
    expect(readFileSync(join(root, "a/b/c.py"), "utf8")).toBe("one two");
    expect([statSync(join(root, "run")).mode & 0o7777, statSync(join(root, "empty")).mode & 0o7777]).toEqual([0o555, 0o444]);
    expect(readlinkSync(join(root, "a/link"))).toBe("b/c.py");
    expect(imageId("lock", await readEntries(root))).toBe(imageId("lock", entries));
    expect(imageId("another", entries)).not.toBe(imageId("lock", entries));
  });

  it.each<[string, Step[]]>([
    ["does not stay inside", [["F", "../x"]]],
    ["does not stay inside", [["F", "/etc/x"]]],
    [
      "does not stay inside",
      [
        ["D", "a"],
        ["F", "a/../../x"],
      ],
    ],
    ["does not stay inside", [["F", ""]]],
    ["does not stay inside", [["F", "a//b"]]],
    ["has characters", [["F", "a\nb"]]],
    ["has characters", [["F", "a\0b"]]],
    ["has a name that is too long", [["F", "x".repeat(256)]]],
    ["is too long", [["F", Array(100).fill("a").join("/")]]],
    ["lies in no directory", [["F", "a/b"]]],
    [
      "lies in no directory",
      [
        ["L", "a\0b"],
        ["F", "a/x"],
      ],
    ],
    [
      "lies in no directory",
      [
        ["F", "a"],
        ["F", "a/x"],
      ],
    ],
    [
      "one path twice",
      [
        ["F", "a"],
        ["F", "a"],
      ],
    ],
    [
      "one path twice",
      [
        ["L", "a\0b"],
        ["F", "a"],
      ],
    ],
    [
      "one path twice",
      [
        ["D", "a"],
        ["L", "a\0b"],
      ],
    ],
    ["leads out", [["L", "a\0/etc"]]],
    ["leads out", [["L", "a\0../x"]]],
    [
      "leads out",
      [
        ["D", "d"],
        ["L", "d/a\0../../x"],
      ],
    ],
    [
      "does not stay inside",
      [
        ["D", "d"],
        ["L", "d/a\0x/../../.."],
      ],
    ],
    ["more than 100 files", Array.from({ length: 102 }, (_, i): Step => ["D", `d${i}`])],
    [
      "more than 0 MiB",
      [
        ["F", "a"],
        ["B", new Uint8Array(100_001)],
      ],
    ],
    ["before its result was complete", [["F", "a"]]],
    ["went on after its end", [["Z"], ["F", "a"]]],
    ["is not understood", [["B", "bytes of nothing"]]],
    ["is not understood", [["?"]]],
    ["is not understood", [["F", new Uint8Array([0xff, 0xfe])]]],
  ])("is refused where a path %s", async (why, steps) => {
    await expect(send(...steps, ...(why.includes("complete") ? [] : ([["Z"]] as Step[])))).rejects.toThrow(why);
    expect(readdirSync(outer)).toEqual(["tree"]);
  });

  it("is never more than was sent: a frame that says a gigabyte is refused at its head", async () => {
    const head = Buffer.alloc(5);
    head.write("F");
    head.writeUInt32LE(2 ** 30, 1);
    const unpacker = new Unpacker(root, BOUNDS);
    await unpacker.push(head);
    await expect(unpacker.finish()).rejects.toThrow("is not understood");
  });

  it("writes nothing beside the tree, whatever comes", async () => {
    const name = fc.oneof(fc.constantFrom("..", ".", "", "a", "b", "/", "a/b", "../x", "a/..", "/tmp/x"), fc.string({ maxLength: 6 }));
    const step = fc.tuple(
      fc.constantFrom("D", "F", "G", "B", "L", "Z"),
      fc.array(name, { maxLength: 4 }).map((names) => names.join("/")),
      name,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        rmSync(root, { recursive: true, force: true });
        mkdirSync(root);
        await send(...steps.map(([type, path, target]): Step => [type, type === "L" ? `${path}\0${target}` : path])).catch(() => {});
        expect(readdirSync(outer)).toEqual(["tree"]);
      }),
      { numRuns: 200 },
    );
  });
});
