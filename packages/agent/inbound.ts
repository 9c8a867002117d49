/** Bytes that may wait for a program that does not read its standard input; above it the peer is paused. */
const HIGH_WATER = 1024 * 1024;

/** Standard input on its way from frames to a program. */
export interface StdinQueue extends AsyncIterable<Uint8Array> {
  push(chunk: Uint8Array): void;
  end(): void;
}

/**
 * A queue between `I` frames and the driver. `pause` is called when more than 1 MiB waits, `resume` when it has gone down:
 * a peer that sends faster than the program reads is held back by its socket, not by our memory.
 */
export function stdinQueue(flow: { pause(): void; resume(): void }): StdinQueue {
  const chunks: Uint8Array[] = [];
  let waiting = 0;
  let ended = false;
  let paused = false;
  let wake: (() => void) | undefined;

  function notify(): void {
    wake?.();
    wake = undefined;
  }

  return {
    push(chunk) {
      if (ended || chunk.length === 0) return;
      chunks.push(chunk);
      waiting += chunk.length;
      if (waiting > HIGH_WATER && !paused) {
        paused = true;
        flow.pause();
      }
      notify();
    },
    end() {
      ended = true;
      notify();
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          const chunk = chunks.shift();
          if (chunk) {
            waiting -= chunk.length;
            if (paused && waiting <= HIGH_WATER / 2) {
              paused = false;
              flow.resume();
            }
            yield chunk;
          } else if (ended) return;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        // The program is gone: nobody will read the rest, and a paused socket could not tell us that its peer left.
        ended = true;
        chunks.length = 0;
        if (paused) flow.resume();
      }
    },
  };
}
