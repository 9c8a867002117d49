import { realpathSync } from "node:fs";
import { expect, it } from "vitest";
import { Learning } from "./learning.ts";

const learned = (interpreters: string[]): string[] => {
  const files: string[] = [];
  const learning = new Learning(interpreters, (path) => files.push(path));
  while (!learning.isDone) {
    const before = files.length;
    learning.next();
    expect(files.length).toBe(before + 1); // one at a time: the ring is looked at between two
  }
  return files;
};

it("interpreters are learned by the file that they lead to, with the C library, each once, and what is not installed is left out", () => {
  const files = learned([process.execPath, "/proc/self/exe", "/no/such/interpreter"]);
  expect(files.filter((file) => file === realpathSync(process.execPath))).toHaveLength(1);
  expect(files.some((file) => /\/(libc|ld-musl)[^/]*\.so/.test(file))).toBe(true);
  expect(new Set(files).size).toBe(files.length);
  expect(files).not.toContain("/no/such/interpreter");
});

it("nothing is learned where nobody asked for it", () => {
  expect(learned([])).toEqual([]);
});
