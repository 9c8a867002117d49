import { readlinkSync } from "node:fs";
import { PlastronError } from "@plastron/contracts";
import { map, native } from "./kernel/libbpf.ts";
import { BUCKETS, PLACES, WAYS } from "./layout.ts";

/** Which place belongs to which sandbox: by the number of its pid namespace, and for its sockets by its cgroup. */
export class Places {
  readonly #buckets: Uint32Array<ArrayBuffer>;
  readonly #groupsFd: number;
  readonly #free = Array.from({ length: PLACES }, (_, slot) => PLACES - 1 - slot);

  /** @throws Error */
  constructor(fds: { places: number; groups: number }) {
    this.#buckets = new Uint32Array(map(fds.places, BUCKETS * WAYS * 8, "write").buffer);
    this.#groupsFd = fds.groups;
  }

  /** @throws PlastronError sensor_unavailable */
  take(pid: number, cgroup: bigint | null): { slot: number; free(): void } {
    const inum = namespaceOf(pid);
    const entry = this.#entry(inum, pid);
    const slot = this.#free.pop();
    if (slot === undefined) throw new PlastronError("sensor_unavailable", `every place of the sensor is taken: it looks at ${PLACES} sandboxes at most`);
    this.#buckets[entry + WAYS] = slot + 1;
    Atomics.store(this.#buckets, entry, inum); // last: from now on it is found
    const group = cgroup === null || this.#groupsFd < 0 ? null : new Uint8Array(new BigUint64Array([cgroup]).buffer);
    if (group !== null) native().update(this.#groupsFd, group, new Uint8Array(new Uint32Array([slot]).buffer), 0n);
    return {
      slot,
      free: () => {
        Atomics.store(this.#buckets, entry, 0);
        if (group !== null) native().remove(this.#groupsFd, group);
        this.#free.push(slot);
      },
    };
  }

  /** Where this namespace is going to stand. Numbers are given out in a row, so that buckets do not fill. */
  #entry(inum: number, pid: number): number {
    const bucket = (inum % BUCKETS) * WAYS * 2;
    const ways = [...this.#buckets.subarray(bucket, bucket + WAYS)];
    if (ways.includes(inum)) throw new PlastronError("sensor_unavailable", `process ${pid} is in a sandbox that has a place already`);
    const free = ways.indexOf(0);
    if (free < 0) throw new PlastronError("sensor_unavailable", `too many pid namespaces have numbers like that of process ${pid}`);
    return bucket + free;
  }
}

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
