import { parseSync } from "oxc-parser";
import type { Harness, Prepared, PreparedFile } from "../harness.ts";
import { harnessesOf } from "./harnesses.ts";
import { instrument } from "./instrument.ts";
import { pumpsOf } from "./pumps.ts";
import type { Node } from "./tree.ts";
import { type Words, wordsOf } from "./words.ts";

const SOURCE = /\.([cm]?js|[cm]?ts)$/;
const NO_TARGET = /(^|\/)(tests?|__tests__|spec|fixtures?|examples?|bench(marks?)?|node_modules|docs?|scripts?)\/|\.(test|spec|min|config|d)\.[cm]?[jt]s$/i;
const LARGEST = 1024 * 1024;

/**
 * Instruments what is JavaScript or TypeScript among these, and finds what of it takes input. A file that cannot be read by the parser is handed on as it is.
 * Parses hostile text: called in a process of its own alone (prepare-worker.ts).
 */
export function prepareJavascript(files: readonly PreparedFile[]): Prepared {
  const numbers = { blocks: 1, comparisons: 0 };
  const words: Words = { words: new Set(), patterns: new Set(), imports: new Map() };
  const harnesses: Harness[] = [];
  const notes: string[] = [];
  const prepared = files.map((file) => {
    if (!SOURCE.test(file.path) || /\.d\.[cm]?ts$/.test(file.path)) return file;
    const program = file.text.length > LARGEST ? null : parsed(file);
    if (program === null) {
      notes.push(`${file.path} could not be parsed, and runs without being measured`);
      return file;
    }
    if (!NO_TARGET.test(file.path)) harnesses.push(...harnessesOf(file.path, file.text, program));
    wordsOf(program, words);
    return { path: file.path, text: instrument(file.text, program, numbers) };
  });
  const standins = Object.fromEntries([...words.imports].map(([name, names]) => [name, [...names].slice(0, 500)]));
  return {
    files: prepared,
    harnesses,
    blocks: numbers.blocks,
    dictionary: [...words.words],
    pumps: pumpsOf([...words.patterns].slice(0, 40)),
    standins,
    notes,
  };
}

function parsed({ path, text }: PreparedFile): Node | null {
  try {
    const { program, errors } = parseSync(path, text, { lang: /ts$/.test(path) ? "ts" : "js", sourceType: "unambiguous", preserveParens: true });
    return errors.length > 0 ? null : (program as unknown as Node);
  } catch {
    return null;
  }
}
