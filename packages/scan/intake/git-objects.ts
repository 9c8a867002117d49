import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { type GitOptions, startGit } from "./git-command.ts";

/** An object's bytes, or null where it is not there. */
type Waiting = { readonly name: string; readonly resolve: (bytes: Buffer | null) => void; readonly reject: (error: Error) => void };

/**
 * The objects of a repository, by one `git cat-file --batch` that stays: `NAME LF` in, `HASH TYPE SIZE LF BYTES LF` out, in order
 * (https://git-scm.com/docs/git-cat-file#_batch_output). Filters and text conversions are for work trees: these are the bytes as committed.
 */
export class GitObjects {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting: Waiting[] = [];
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = 0;
  #ended: Error | null = null;

  constructor(options: GitOptions) {
    this.#child = startGit(options, ["cat-file", "--batch"]);
    this.#child.stdout.on("data", (chunk: Buffer) => this.#take(chunk));
    this.#child.stderr.resume();
    this.#child.stdin.on("error", () => {});
    this.#child.on("error", (error) => this.#end(error));
    this.#child.on("close", () => this.#end(new Error("git cat-file ended")));
  }

  /** The bytes of one object by its hash or by `COMMIT:PATH`. Null where there is none. `name` must hold no newline. */
  read(name: string): Promise<Buffer | null> {
    if (this.#ended) return Promise.reject(this.#ended);
    if (/[\n\0]/.test(name)) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ name, resolve, reject });
      this.#child.stdin.write(`${name}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#child.on("close", () => resolve());
      this.#child.stdin.end();
      this.#child.kill("SIGKILL");
    });
  }

  #take(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#held += chunk.length;
    // Joined only when a whole answer may be there: a large blob comes in thousands of pieces.
    while (this.#waiting.length > 0 && this.#held > 0 && this.#held >= this.#wanted) {
      const held = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces);
      const rest = this.#answer(held);
      this.#pieces = [rest ?? held];
      this.#held = (rest ?? held).length;
      if (rest === null) return;
      this.#wanted = 0;
    }
  }

  /** Gives the first answer that stands whole in `held` to who waits for it; what follows it, or null where more must come. */
  #answer(held: Buffer): Buffer | null {
    const end = held.indexOf(10);
    if (end < 0) {
      this.#wanted = held.length + 1;
      return null;
    }
    const [, type, size] = /^\S+ (commit|tree|blob|tag) (\d+)$/.exec(held.toString("utf8", 0, end)) ?? [];
    if (type === undefined) {
      this.#waiting.shift()?.resolve(null); // `NAME missing`, `NAME ambiguous`
      return held.subarray(end + 1);
    }
    const after = end + 1 + Number(size);
    if (held.length < after + 1) {
      this.#wanted = after + 1;
      return null;
    }
    this.#waiting.shift()?.resolve(held.subarray(end + 1, after));
    return held.subarray(after + 1);
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}
