import { PlastronError } from "@plastron/contracts";
import { describe, expect, test } from "vitest";
import { MAX_DOCUMENT_BYTES, readDocument } from "./read.ts";

const KIND = { noun: "policy", code: "invalid_policy" } as const;

/** As much of it as a policy may have. */
const filled = (piece: (i: number) => string): string => {
  const pieces: string[] = [];
  for (let i = 0, length = 0; length < MAX_DOCUMENT_BYTES - 100; i++) length += pieces[pieces.push(piece(i)) - 1]?.length ?? 0;
  return pieces.join("");
};

/** Each of these once kept whoever read it busy for seconds to minutes, and whoever may store a policy could send it. */
describe("text that is slow to read", () => {
  test.each<[string, (i: number) => string]>([
    ["nothing but keys", (i) => `${i}k:\n`],
    ["the same key", () => "a:\n"],
    ["keys in brackets", (i) => `${i === 0 ? "{" : ""}k${i}: 1,`],
    ["empty maps", () => "{}"],
    ["empty lists", () => "[]"],
    ["quotes", () => '"'],
    ["aliases", () => "*a "],
    ["documents", () => "---\n"],
  ])("%s are refused at once", (_, piece) => {
    const text = filled(piece);
    const start = process.cpuUsage();
    expect(() => readDocument(text, KIND)).toThrow(PlastronError);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1_000).toBeLessThan(1_500);
  });

  test("a key that is there twice is told from one that is there in another map", () => {
    expect(readDocument("a: {x: 1}\nb: {x: 1}", KIND).value).toEqual({ a: { x: 1 }, b: { x: 1 } });
    for (const text of ["a: {x: 1, x: 2}", "a: 1\nb: 1\n? a\n: 2", '"a": 1\na: 2', "constructor: 1\nconstructor: 2"])
      expect(() => readDocument(text, KIND)).toThrow(/must be unique/);
  });
});
