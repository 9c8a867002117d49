import type { Stack } from "@plastron/contracts";
import { shortPath } from "./places.ts";

const MOST = 8;

/** Of a program in a language of its own, the C library below it says nothing. */
function telling({ frames }: Stack): Stack["frames"] {
  const own = frames.filter(({ language }) => language !== "native");
  return own.length > 0 ? own : frames;
}

/** The innermost frames, a line each, as a person finds them: `fetch  crawl.py:12`. Every word in them is the program's. */
export function stackWords(stack: Stack, most = MOST): string[] {
  const frames = telling(stack);
  const shown = frames.slice(0, most).map(({ function: name, file, line }) => `${name || "?"}  ${shortPath(file)}${line === null ? "" : `:${line}`}`);
  const rest = frames.length - shown.length;
  const more = [
    ...(rest > 0 || stack.truncated
      ? [`${rest > 0 ? `${rest} more frames` : "there were more frames"}${stack.truncated && rest > 0 ? " and others" : ""}`]
      : []),
  ];
  return [...shown, ...more, ...(stack.incomplete ? [`frames are missing: ${stack.incomplete}`] : [])];
}
