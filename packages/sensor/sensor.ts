import { readFileSync } from "node:fs";
import { type Sensor, type Stack, TELEMETRY_BOUNDS, type Watchpoint } from "@plastron/contracts";
import { Accounts } from "./account.ts";
import { callTable } from "./calls/table.ts";
import { map } from "./kernel/libbpf.ts";
import { type Loaded, load } from "./kernel/load.ts";
import { CONTROL, PLACES } from "./layout.ts";
import { RING_BYTES, type SensorOptions } from "./options.ts";
import { Places } from "./places.ts";
import { Board } from "./reader/board.ts";
import { letGo, STOP_MS } from "./reader/stops.ts";
import { ReaderThread, type Said } from "./reader/thread.ts";
import { Point } from "./watchpoint.ts";

/** How often somebody else than the reader sees to it that no process is left standing. */
const GUARD_MS = 100;

/** The sensor of this host. It observes; what it may do to a run is told to the driver. */
export class KernelSensor implements Sensor {
  readonly reader: ReaderThread;
  readonly accounts: Accounts;
  readonly board: Board;
  /** What is not seen on this host, and why. */
  readonly missing: readonly string[];
  readonly #loaded: Loaded;
  readonly #places: Places;
  readonly #points = new Map<number, Point>();
  readonly #guard: NodeJS.Timeout;
  #generation = 0;
  #isClosed = false;

  /** @throws Error that says what this host has not */
  static async open(options: SensorOptions): Promise<KernelSensor> {
    const ringBytes = options.ringBytes ?? RING_BYTES;
    const loaded = load({ ringBytes, cgroup: options.cgroup ?? null });
    try {
      prepare(loaded, ringBytes);
      const board = new Board();
      const { ring, controls, accounts, flows } = loaded.fds;
      const said = { hear: (_: Said) => {}, generation: () => 0 };
      const bounds = { ...TELEMETRY_BOUNDS, stacks: options.stacks === false ? 0 : TELEMETRY_BOUNDS.stacks };
      const data = {
        fds: { ring, controls, accounts, flows },
        ringBytes,
        bounds,
        board: board.shared,
        missing: loaded.missing,
        interpreters: options.interpreters ?? [],
      };
      const reader = await ReaderThread.start(
        data,
        board,
        (message) => said.hear(message),
        () => said.generation(),
      );
      const sensor = new KernelSensor(loaded, reader, board);
      said.hear = (message) => sensor.#hear(message);
      said.generation = () => sensor.#generation;
      return sensor;
    } catch (error) {
      loaded.close();
      throw error;
    }
  }

  private constructor(loaded: Loaded, reader: ReaderThread, board: Board) {
    this.#loaded = loaded;
    this.reader = reader;
    this.board = board;
    this.missing = loaded.missing;
    this.accounts = new Accounts(loaded.fds.accounts);
    this.#places = new Places(loaded.fds);
    this.#guard = setInterval(() => this.#letGoOfForgotten(), GUARD_MS).unref();
  }

  /** @throws PlastronError sensor_unavailable */
  place({ pid, cgroup }: { pid: number; cgroup: bigint | null }): Watchpoint {
    const taken = this.#places.take(pid, cgroup);
    const point = new Point(this, taken.slot, () => {
      this.#points.delete(taken.slot);
      taken.free();
    });
    this.#points.set(taken.slot, point);
    return point;
  }

  async stacksOf(pids: readonly number[]): Promise<{ pid: number; comm: string; stack: Stack }[]> {
    const { readStack } = await import("./stacks/index.ts");
    return pids.flatMap((pid) => {
      const comm = commOf(pid);
      return comm === null ? [] : [{ pid, comm, stack: readStack(pid, pid) }];
    });
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#guard);
    for (const point of [...this.#points.values()]) point.release();
    await this.reader.close();
    for (let slot = 0; slot < PLACES; slot++) letGo(this.accounts, slot);
    this.#loaded.close();
  }

  /** The next generation: no two armings are alike, in whatever place. */
  nextGeneration(): number {
    this.#generation = (this.#generation % 0x7fff_ffff) + 1;
    return this.#generation;
  }

  #hear(message: Said): void {
    const options = this.#points.get(message.slot)?.armed(message.generation);
    if (options === undefined) return;
    if (message.kind === "denial") options.onDenial(message.denial);
    else options.onBreak(message.broken);
  }

  #letGoOfForgotten(): void {
    const now = Number(process.hrtime.bigint()) / 1e6;
    for (const slot of this.#points.keys()) {
      if (this.accounts.get(slot, "stopped") !== 0 && now - this.accounts.count(slot, "stopped_at") / 1e6 > 2 * STOP_MS) letGo(this.accounts, slot);
    }
  }
}

/** What stands in the maps before the first sandbox: what each call takes, and how much of the ring one may have unread. */
function prepare({ fds }: Loaded, ringBytes: number): void {
  const table = callTable();
  const calls = map(fds.calls, table.length, "write");
  new Uint8Array(calls.buffer).set(table);
  calls.unmap();
  const controls = map(fds.controls, CONTROL.size, "write");
  const words = new Uint32Array(controls.buffer);
  words[CONTROL.slot_bytes / 4] = ringBytes / 4;
  words[CONTROL.half_bytes / 4] = ringBytes / 2;
  words[CONTROL.least_bytes / 4] = ringBytes / 2 / PLACES;
  controls.unmap();
}

function commOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return null; // it ended meanwhile
  }
}
