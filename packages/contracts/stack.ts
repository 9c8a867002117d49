import { z } from "zod";

/** One frame of a program's call stack. All text comes out of the program's own memory: it is the program's word, not a fact. */
export const frameSchema = z.object({
  language: z.enum(["python", "javascript", "native"]),
  function: z.string().max(256).describe("empty where it is not known"),
  file: z.string().max(1024).describe("source file; of native frames the binary or library"),
  line: z.int().nonnegative().nullable(),
});
export type StackFrame = z.infer<typeof frameSchema>;

/** As many frames as one stack holds. */
export const MAX_FRAMES = 64;

/** The innermost frame first, frames of the platform's own worker left out. Untrusted: shown as text, never believed. */
export const stackSchema = z.object({
  frames: z.array(frameSchema).max(MAX_FRAMES),
  truncated: z.boolean().describe("there were more frames"),
  incomplete: z.string().nullable().describe("why frames are missing, in words; null where none are"),
});
export type Stack = z.infer<typeof stackSchema>;
