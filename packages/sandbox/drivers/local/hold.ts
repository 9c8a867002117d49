import { encodeFrame } from "@plastron/contracts";

/** The supervisor answers within 25 ms, also where it could not (native/freeze.c). */
const ANSWER_MS = 1000;
export type HoldAnswer = "thawed" | "frozen" | "restless" | "gone";
const ANSWERS: HoldAnswer[] = ["thawed", "frozen", "restless"];

/** Holding a sandbox's program still: one question to its supervisor at a time, answered in their order. */
export class Hold {
  readonly #send: (frame: Uint8Array) => void;
  readonly #asked: ((answer: HoldAnswer) => void)[] = [];

  constructor(send: (frame: Uint8Array) => void) {
    this.#send = send;
  }

  ask(wanted: "freeze" | "thaw"): Promise<HoldAnswer> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ANSWER_MS, "gone");
      this.#asked.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#send(encodeFrame("z", Uint8Array.of(wanted === "freeze" ? 1 : 0)));
    });
  }

  /** The payload of its frame z. */
  answer(payload: Uint8Array): void {
    this.#asked.shift()?.(ANSWERS[payload[0] ?? -1] ?? "gone");
  }

  /** Nobody answers any more. */
  end(): void {
    for (const tell of this.#asked.splice(0)) tell("gone");
  }
}
