import { PlastronError } from "@plastron/contracts";

/** A running sandbox's place: its number is unique among those that live, and picks its host uid. */
export interface Place {
  readonly number: number;
  free(): void;
}

/** A bounded number of places and a bounded queue for them, first come first served. */
export interface Places {
  readonly taken: number;
  readonly waiting: number;
  /** Errors: overloaded when the queue is full; the signal's reason when it aborts while waiting. */
  take(signal?: AbortSignal): Promise<Place>;
}

export function places(count: number, queueLength: number): Places {
  const numbers = Array.from({ length: count }, (_, i) => i);
  const queue: ((place: Place) => void)[] = [];

  function hand(number: number): Place {
    let freed = false;
    return {
      number,
      free() {
        if (freed) return;
        freed = true;
        const next = queue.shift();
        if (next) next(hand(number));
        else numbers.push(number);
      },
    };
  }

  return {
    get taken() {
      return count - numbers.length;
    },
    get waiting() {
      return queue.length;
    },
    async take(signal) {
      signal?.throwIfAborted();
      const number = numbers.shift();
      if (number !== undefined) return hand(number);
      if (queue.length >= queueLength) {
        throw new PlastronError("overloaded", `${count} sandboxes run and ${queueLength} runs wait`, { retryAfterSeconds: 1 });
      }
      return new Promise((resolve, reject) => {
        const turn = (place: Place) => {
          signal?.removeEventListener("abort", leave);
          resolve(place);
        };
        const leave = () => {
          queue.splice(queue.indexOf(turn), 1);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", leave, { once: true });
        queue.push(turn);
      });
    },
  };
}
