/** What tests wait for instead of a time that a busy machine may not keep. */
import type { ChildProcess } from "node:child_process";
import type { Bench, Program, Ran } from "./harness.ts";

/** The first that a process prints. Rejects where it ends before, as one that cannot even start does. */
export function firstWord(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", (chunk) => resolve(String(chunk)));
    child.once("error", reject);
    child.once("exit", (code, signal) => reject(new Error(`it ended (${code ?? signal}) and had said nothing`)));
  });
}

/** Standard input that says nothing until `then`, and a line after: a program that reads it goes on when the test lets it. */
export async function* untilThen(then: Promise<unknown>): AsyncGenerator<Uint8Array> {
  await then;
  yield Buffer.from("over\n");
}

/** A Python program that has said something and reads a line: it goes on when it is let. */
export async function begun(use: Bench, program: Partial<Program>): Promise<{ ended: Promise<Ran>; letGo: () => void }> {
  const said = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const code = "print('up', flush=True)\ninput()";
  const ended = use.watch({ code, ...program, runtime: "python3" }, () => said.resolve(), { stdin: untilThen(over.promise) });
  await Promise.race([said.promise, ended]);
  return { ended, letGo: over.resolve };
}

/** Resolves when `count` stays as it is for 100 ms. Rejects where it never does. */
export async function standsStill(count: () => number, withinMs = 10_000): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    const before = count();
    await new Promise((later) => setTimeout(later, 100));
    if (count() === before) return;
  }
  throw new Error(`it went on for ${withinMs} ms`);
}
