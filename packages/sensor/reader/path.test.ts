import { pathClassOf } from "@plastron/contracts";
import { expect, it } from "vitest";
import { PART_FLAG } from "../layout.ts";
import { classOf } from "./path.ts";

it.each([
  ["/workspace", "workspace"],
  ["/workspace/a/b", "workspace"],
  ["/workspaces/a", "other"],
  ["/tmp/x", "tmp"],
  ["/dev/shm/x", "tmp"],
  ["/dev/null", "dev"],
  ["/node_modules/leaf/index.js", "runtime"],
  ["/usr/lib/python3/dist-packages/leaf.py", "runtime"],
  ["/usr/lib/python3.11/os.py", "system"],
  ["/lib32/libc.so.6", "system"],
  ["/libx32/libc.so.6", "system"],
  ["/sbin/ldconfig", "system"],
  ["/", "other"],
])("%s is of class %s, whoever asks", (path, kind) => {
  expect([pathClassOf(path), classOf(path, 0)]).toEqual([kind, kind]);
});

it("what has no place in any tree is anonymous whatever it calls itself, and a path that was cut is no such thing", () => {
  expect(classOf("/usr/bin/true", PART_FLAG.anonymous)).toBe("anonymous");
  expect(classOf("…/usr/bin/true", PART_FLAG.cut)).toBe("other");
  expect(classOf("relative", 0)).toBe("other");
  expect(pathClassOf("memfd:x")).toBe("anonymous");
});
