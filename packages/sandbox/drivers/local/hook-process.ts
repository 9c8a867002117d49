import { type ChildProcess, spawn } from "node:child_process";
import { encodeFrame, FrameReader, type Hooks, PlastronError } from "@plastron/contracts";
import { RECORD_BYTES } from "./hook-records.ts";
import { encodeSpec } from "./spec.ts";

const START_MS = 20_000;
/** It answers within microseconds; a tenth of a second where a program is stopped in the middle of a record. */
const FLUSH_MS = 2000;

/**
 * One `plastron-hooks` (native/hooks/hooks.c): puts programs on a cgroup and tells what they record. When it dies, the programs
 * stay on the cgroup and go on deciding; only records are lost.
 */
export class HookProcess {
  readonly gone: Promise<void>;
  alive = true;
  readonly #child: ChildProcess;
  readonly #reader = new FrameReader();
  readonly #onRecord: (record: Buffer) => void;
  readonly #flushes = new Map<number, (leftOut: number) => void>();
  #token = 0;
  #answer: ((failure: string | null) => void) | undefined;

  private constructor(binary: string, onRecord: (record: Buffer) => void) {
    this.#onRecord = onRecord;
    this.#child = spawn(binary, [], { stdio: ["pipe", "pipe", "ignore"], env: {}, cwd: "/", detached: true });
    this.gone = new Promise((resolve) => {
      const end = (why: string) => {
        this.alive = false;
        this.#answer?.(`it ended: ${why}`);
        for (const done of this.#flushes.values()) done(0);
        resolve();
      };
      this.#child.once("error", (error) => end(error.message));
      this.#child.once("exit", (code, signal) => end(signal ?? `exit ${code}`));
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stdout?.on("error", () => {}).on("data", (chunk: Buffer) => this.#read(chunk));
  }

  /** Resolves when every program is attached to the cgroup `dir`; rejects with the step that failed. Nothing is left running then. */
  static async start(binary: string, dir: string, uid: number, { programs }: Hooks, onRecord: (record: Buffer) => void): Promise<HookProcess> {
    const started = new HookProcess(binary, onRecord);
    const answer = new Promise<string | null>((resolve) => {
      started.#answer = resolve;
    });
    const timer = setTimeout(() => started.#answer?.(`no answer within ${START_MS} ms`), START_MS);
    const records = programs.map(({ at, code }) => ["program", at, Buffer.from(code, "base64")] as [string, string, Buffer]);
    started.#child.stdin?.write(encodeFrame("Q", encodeSpec([["cgroup", dir], ["uid", uid], ...records])));
    const failure = await answer;
    clearTimeout(timer);
    started.#answer = undefined;
    if (failure === null) return started;
    started.#child.kill("SIGKILL");
    await started.gone;
    throw new PlastronError("sandbox_failed", `the policy's hooks could not be put in place: ${failure}`, {
      hint: "`plastron doctor` says what this host lacks (row `hooks`). The policy cannot be enforced without them, so nothing was run.",
    });
  }

  /** All that processes in the cgroup have caused until now has been told. Resolves to the number of records that were left out as a flood. */
  flush(cgroup: bigint): Promise<number> {
    if (!this.alive) return Promise.resolve(0);
    this.#token = (this.#token + 1) >>> 0;
    const token = this.#token;
    const request = Buffer.alloc(12);
    request.writeBigUInt64LE(cgroup);
    request.writeUInt32LE(token, 8);
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(0), FLUSH_MS);
      const done = (leftOut: number) => {
        clearTimeout(timer);
        this.#flushes.delete(token);
        resolve(leftOut);
      };
      this.#flushes.set(token, done);
      this.#child.stdin?.write(encodeFrame("F", request));
    });
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.gone;
  }

  #read(chunk: Buffer): void {
    for (const { type, payload } of this.#reader.push(chunk)) {
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
      if (type === "V") for (let at = 0; at < bytes.length; at += RECORD_BYTES) this.#onRecord(bytes.subarray(at, at + RECORD_BYTES));
      else if (type === "F") this.#flushes.get(bytes.readUInt32LE(8))?.(bytes.readUInt32LE(12));
      else if (type === "R") this.#answer?.(null);
      else if (type === "N") this.#answer?.(bytes.toString());
    }
  }
}
