import { readlinkSync } from "node:fs";
import { PlastronError } from "@plastron/contracts";
import { native } from "./kernel/libbpf.ts";
import { PLACES } from "./layout.ts";

/** Which place belongs to which sandbox: by the number of its pid namespace, and for its sockets by its cgroup. */
export class Places {
  readonly #fds: { places: number; groups: number };
  readonly #free = Array.from({ length: PLACES }, (_, slot) => PLACES - 1 - slot);

  constructor(fds: { places: number; groups: number }) {
    this.#fds = fds;
  }

  /** @throws PlastronError sensor_unavailable */
  take(pid: number, cgroup: bigint | null): { slot: number; free(): void } {
    const inum = word(namespaceOf(pid));
    const group = cgroup === null || this.#fds.groups < 0 ? null : new Uint8Array(new BigUint64Array([cgroup]).buffer);
    const slot = this.#free.pop();
    if (slot === undefined) throw new PlastronError("sensor_unavailable", `every place of the sensor is taken: it looks at ${PLACES} sandboxes at most`);
    const added = native().update(this.#fds.places, inum, word(slot), BPF_NOEXIST);
    if (added !== 0) {
      this.#free.push(slot);
      throw new PlastronError("sensor_unavailable", `pid namespace of process ${pid}: ${native().why()} (a sandbox has one place)`);
    }
    if (group !== null) native().update(this.#fds.groups, group, word(slot), 0n);
    return {
      slot,
      free: () => {
        native().remove(this.#fds.places, inum);
        if (group !== null) native().remove(this.#fds.groups, group);
        this.#free.push(slot);
      },
    };
  }
}

const BPF_NOEXIST = 1n;
const word = (value: number): Uint8Array => new Uint8Array(new Uint32Array([value]).buffer);

/** No process can leave its pid namespace, so that this is what a sandbox is known by. */
function namespaceOf(pid: number): number {
  try {
    const own = readlinkSync("/proc/self/ns/pid");
    const link = readlinkSync(`/proc/${pid}/ns/pid`);
    if (link === own) throw new Error("it is in our own pid namespace");
    return Number(/^pid:\[(\d+)\]$/.exec(link)?.[1]);
  } catch (error) {
    throw new PlastronError("sensor_unavailable", `process ${pid} cannot be looked at: ${(error as Error).message}`, { cause: error });
  }
}
