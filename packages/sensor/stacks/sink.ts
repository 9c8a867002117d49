import { MAX_FRAMES, type Stack, type StackFrame } from "@plastron/contracts";
import { printable } from "./text.ts";

/** Where frames go as they are found, innermost first: it keeps the bounds, and leaves the platform's own frames out. */
export class Sink {
  readonly #frames: StackFrame[] = [];
  readonly #platform: readonly string[];
  #truncated = false;

  /** `platform`: beginnings of paths whose frames are not the program's. */
  constructor(platform: readonly string[]) {
    this.#platform = platform;
  }

  get isFull(): boolean {
    return this.#frames.length >= MAX_FRAMES;
  }

  get length(): number {
    return this.#frames.length;
  }

  push(frame: StackFrame): void {
    if (this.#platform.some((prefix) => frame.file.startsWith(prefix))) return;
    if (this.isFull) {
      this.cut();
      return;
    }
    const line = frame.line !== null && Number.isSafeInteger(frame.line) && frame.line >= 0 ? frame.line : null;
    this.#frames.push({ language: frame.language, function: printable(frame.function, 256), file: printable(frame.file, 1024), line });
  }

  /** There were more. */
  cut(): void {
    this.#truncated = true;
  }

  stack(incomplete: string | null): Stack {
    return { frames: this.#frames, truncated: this.#truncated, incomplete: incomplete === null ? null : printable(incomplete, 512) };
  }
}
