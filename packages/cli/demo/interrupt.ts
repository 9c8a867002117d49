const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Does `work` with a signal that Ctrl-C aborts, and waits until it has cleaned up: leaving at once would leave processes, control
 * groups and files. Whatever the work then comes to is "interrupted".
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | "interrupted"> {
  const stop = new AbortController();
  const abort = (): void => stop.abort("the demo was interrupted");
  for (const name of SIGNALS) process.on(name, abort);
  try {
    const result = await work(stop.signal);
    return stop.signal.aborted ? "interrupted" : result;
  } catch (error) {
    if (stop.signal.aborted) return "interrupted";
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, abort);
  }
}
