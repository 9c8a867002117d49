import type { Analyser } from "../analyser.ts";
import { examplesOf, fileOf } from "./examples.ts";
import type { Rule } from "./read.ts";

/** A file of this many characters is made of a rule's own examples: what it looks for stands in it over and over. */
const SIZE = 96 * 1024;
const RUNS = 2;

/** Milliseconds of processor time so far. */
export type Clock = () => number;

/**
 * What a rule costs, in milliseconds of processor time for a megabyte: the best of a few runs over its examples, repeated, less what the
 * same files cost `without` it.
 */
export function costOf(rule: Rule, analyser: Analyser, without: Analyser | null, clock: Clock): number {
  const files = examplesOf(rule).flatMap(({ files }) => files);
  const enlarged = files.map(({ path, text }) => fileOf(path, (text ?? "").repeat(Math.ceil(SIZE / files.length / Math.max(1, (text ?? "").length)))));
  const bytes = enlarged.reduce((sum, file) => sum + file.bytes.length, 0);
  const took = (one: Analyser): number => {
    const all = Array.from({ length: RUNS }, () => {
      const start = clock();
      for (const file of enlarged) if (one.wants({ ...file, size: file.bytes.length })) one.file(file);
      return clock() - start;
    });
    return Math.min(...all);
  };
  const cost = took(analyser) - (without === null ? 0 : took(without));
  return Math.max(0, Math.round((cost * 1024 * 1024) / bytes));
}
