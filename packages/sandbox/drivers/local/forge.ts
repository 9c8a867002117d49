import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import { encodeFrame } from "@plastron/contracts";
import type { Box } from "./box.ts";
import { NeverStarted } from "./box-run.ts";
import { encodeSpec, type SpecRecord } from "./spec.ts";
import type { SupervisorSocket } from "./supervisors.ts";

const ANSWER_MS = 20_000;

/**
 * The one launcher process of this agent, from which every sandbox is forked (native/launcher.c): a start costs the agent one
 * write. If it dies, the sandboxes that it made live on, and the next start makes a new one.
 */
export class Forge {
  readonly #launcher: string;
  readonly #supervisors: SupervisorSocket;
  readonly #log: (message: string, fields?: Record<string, unknown>) => void;
  #process: ChildProcess | undefined;
  /** Orders that nobody has answered yet. */
  readonly #asked = new Set<string>();

  constructor(launcher: string, supervisors: SupervisorSocket, log: (message: string, fields?: Record<string, unknown>) => void) {
    this.#launcher = launcher;
    this.#supervisors = supervisors;
    this.#log = log;
  }

  /**
   * A sandbox, as soon as its supervisor is there; its `ready` and `failure` tell the rest. `own` are the records of this one,
   * `shared` the encoded ones of its kind.
   */
  launch(own: SpecRecord[], shared: Uint8Array): Promise<Box> {
    const token = randomUUID();
    const coming = this.#supervisors.expect(token, ANSWER_MS);
    this.#asked.add(token);
    coming.finally(() => this.#asked.delete(token)).catch(() => {});
    const records = encodeSpec([["agent", this.#supervisors.path], ["token", token], ...own]);
    this.#connection().write(encodeFrame("Q", Buffer.concat([records, shared])));
    return coming;
  }

  close(): void {
    this.#process?.stdio[3]?.destroy();
  }

  #connection(): Duplex {
    this.#process ??= this.#start();
    return this.#process.stdio[3] as Duplex;
  }

  #start(): ChildProcess {
    const child = spawn(this.#launcher, [], { stdio: ["ignore", "ignore", "ignore", "pipe"], env: {}, cwd: "/", detached: true });
    const gone = (why: string) => {
      if (this.#process === child) this.#process = undefined;
      if (why !== "0") this.#log("the launcher has ended", { why });
      /* What it forked before it died still answers at once; nobody will answer the rest. */
      const lost = [...this.#asked];
      setTimeout(() => lost.forEach((token) => this.#supervisors.abandon(token, new NeverStarted())), 300).unref();
    };
    child.once("error", (error) => gone(error.message));
    child.once("exit", (code, signal) => gone(signal ?? String(code)));
    child.stdio[3]?.on("error", () => {});
    child.stdio[3]?.on("data", (bytes: Buffer) => this.#log("the launcher complains", { text: bytes.toString("utf8", 5) }));
    return child;
  }
}
