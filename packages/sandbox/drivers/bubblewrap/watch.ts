import { type Limits, PlastronError } from "@plastron/contracts";
import type { Control, Output } from "../../driver.ts";
import type { Launched } from "./launch.ts";
import type { Observed } from "./outcome.ts";
import { pump, textOf } from "./stream.ts";

/** A program that does not get as far as starting is a broken host, not a slow program. */
const START_DEADLINE_MS = 15_000;

/** How a program ended. `drained` settles when its output has reached the reader: [stdout cut, stderr cut]. */
export interface Watched {
  end: Pick<Observed, "ended" | "bubblewrapCode" | "waitStatus">;
  wallMs: number;
  drained: Promise<[boolean, boolean]>;
}

/**
 * Waits until the program may start. False when the caller aborted before that.
 * Errors: sandbox_failed with the launcher's own words; invalid_request where the kernel refused the arguments as too long.
 */
export async function untilStarted(box: Launched, signal: AbortSignal | undefined): Promise<boolean> {
  const late = setTimeout(() => box.kill(), START_DEADLINE_MS);
  const stop = onAbort(signal, () => box.kill());
  const started = await box.started;
  clearTimeout(late);
  stop();
  if (started || signal?.aborted) return started;
  const complaint = await textOf(box.stderr, 4096);
  if (complaint.includes("Argument list too long")) throw new PlastronError("invalid_request", "Arguments and environment are too long together");
  throw new PlastronError("sandbox_failed", complaint || `The sandbox did not start within ${START_DEADLINE_MS} ms`);
}

/** Keeps time, feeds the program and passes its output on until every process of the sandbox is dead. */
export async function watch(box: Launched, limits: Limits, output: Output, control: Control): Promise<Watched> {
  const began = performance.now();
  let ended: Observed["ended"] = null;
  const end = (why: Observed["ended"]) => {
    ended ??= why;
    box.kill();
  };
  const timer = setTimeout(() => end({ by: "wall" }), limits.wall_ms);
  const stop = onAbort(control.signal, () => end({ by: "caller", reason: String(control.signal?.reason) }));
  const drained = Promise.all([
    pump(box.stdout, limits.output_bytes, (chunk) => output.stdout(chunk)),
    pump(box.stderr, limits.output_bytes, (chunk) => output.stderr(chunk)),
  ]);
  // Whoever awaits `drained` later hears of its failure; until then it must not count as unhandled.
  drained.catch(() => {});
  const { bubblewrapCode, waitStatus } = await box.ended;
  clearTimeout(timer);
  stop();
  return { end: { ended, bubblewrapCode, waitStatus }, wallMs: performance.now() - began, drained };
}

/** Calls back at once where the signal has fired already. Returns what takes the listener away. */
function onAbort(signal: AbortSignal | undefined, call: () => void): () => void {
  if (signal?.aborted) call();
  else signal?.addEventListener("abort", call, { once: true });
  return () => signal?.removeEventListener("abort", call);
}
