import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdir } from "node:fs/promises";
import type { Duplex } from "node:stream";
import { type CertificateAuthority, type FromEgress, fromEgressSchema, PlastronError, type ToEgress } from "@plastron/contracts";
import type { EgressOptions } from "../../driver.ts";
import { EGRESS_BOUND } from "./egress-bound.ts";

interface Parts {
  options: EgressOptions;
  directory: string;
  uid: number;
  log(message: string, fields?: Record<string, unknown>): void;
  onMessage(message: FromEgress): void;
  /** A new process has taken the place of one that died, and knows nobody yet. */
  onRestart(): void;
}

const START_MS = 15_000;
/** After a death, doubled for each that follows within a minute. */
const RESTART_MS = 100;
const MAX_LINE = 1 << 20;
/** Connections cost it a few kilobytes each of this; what they carry is not in there. Over it, it ends and is started anew. */
const HEAP_MB = 512;

/**
 * The one egress process of a driver. It begins with our rights, makes its socket in a directory that only relays can enter, and
 * becomes nobody before the first byte comes. Its certificates' key outlives it here, in memory, so that sandboxes that were made
 * before its death go on trusting the next.
 */
export class EgressProcess {
  readonly #parts: Parts;
  #child: ChildProcess | undefined;
  #starting: Promise<CertificateAuthority> | undefined;
  #authority: CertificateAuthority | null = null;
  #deaths: number[] = [];
  #closed = false;
  #again: NodeJS.Timeout | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Resolves when it accepts connections. Errors: sandbox_failed with what it said. */
  start(): Promise<CertificateAuthority> {
    this.#starting ??= this.#spawn();
    return this.#starting;
  }

  /** Lost where it is dead: its successor is told everything anew. */
  send(message: ToEgress): void {
    const control = this.#child?.stdio[3] as Duplex | undefined;
    if (control && !control.destroyed) control.write(`${JSON.stringify(message)}\n`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#again);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  async #spawn(): Promise<CertificateAuthority> {
    const { options, directory, uid, log } = this.#parts;
    await mkdir(directory, { recursive: true, mode: 0o711 });
    await chmod(directory, 0o711);
    const [command = "", ...args] = [...EGRESS_BOUND, "--", ...options.command];
    const env = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
    const child = spawn(command, args, { cwd: directory, env, stdio: ["ignore", "ignore", "pipe", "pipe"], detached: true });
    this.#child = child;
    let said = "";
    child.stderr?.on("data", (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-2000);
      log("the egress process complains", { text: bytes.toString().slice(0, 2000) });
    });
    const ready = new Promise<CertificateAuthority>((resolve, reject) => {
      const fail = (why: string) => reject(new PlastronError("sandbox_failed", `the egress process did not start: ${why}`));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`not ready within ${START_MS} ms`);
      }, START_MS);
      child.once("error", (error) => fail(error.message));
      child.once("exit", (code, signal) => {
        clearTimeout(timer);
        fail(said || `it ended with ${signal ?? code}`);
        this.#onDeath(child, signal ?? String(code));
      });
      this.#listen(child, (authority) => {
        clearTimeout(timer);
        this.#authority = authority;
        resolve(authority);
      });
    });
    ready.catch(() => {});
    const { secrets = null, hosts = {}, trust = [] } = options;
    this.send({ type: "start", uid: process.getuid?.() === 0 ? (options.uid ?? uid) : null, authority: this.#authority, secrets, hosts, trust });
    return ready;
  }

  /** It may have been taken over: what it says is checked like a stranger's word. */
  #listen(child: ChildProcess, onReady: (authority: CertificateAuthority) => void): void {
    const control = child.stdio[3] as Duplex;
    let rest = "";
    control.setEncoding("utf8");
    control.on("error", () => control.destroy());
    control.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (rest.length > MAX_LINE) return void child.kill("SIGKILL");
      for (const line of lines) {
        const message = parse(line);
        if (!message) return void child.kill("SIGKILL");
        if (message.type === "ready") onReady(message.authority);
        else this.#parts.onMessage(message);
      }
    });
  }

  #onDeath(child: ChildProcess, why: string): void {
    if (this.#closed || this.#child !== child) return;
    this.#parts.log("the egress process has ended; connections through it are cut", { why });
    this.#child = undefined;
    this.#starting = undefined;
    if (this.#authority === null) return; // it never worked: whoever needs it tries again, and hears why
    const now = performance.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < 60_000), now];
    this.#again = setTimeout(
      () => {
        const started = this.start();
        started
          .then(() => this.#parts.onRestart())
          .catch((error: Error) => this.#parts.log("the egress process could not be started again", { error: error.message }));
      },
      RESTART_MS * 2 ** Math.min(this.#deaths.length - 1, 8),
    );
    this.#again.unref();
  }
}

function parse(line: string): FromEgress | undefined {
  try {
    return fromEgressSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
