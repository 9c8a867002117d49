/** Ctrl-C and SIGTERM end a scan in order: its processes first, then what it unpacked. A second one ends it at once. */
export function stoppedBySignals(): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(name === "SIGINT" ? 130 : 143);
    controller.abort(new ScanStopped(name));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}

export class ScanStopped extends Error {
  readonly exit: number;
  constructor(name: NodeJS.Signals) {
    super("the scan was stopped");
    this.exit = name === "SIGINT" ? 130 : 143;
  }
}
