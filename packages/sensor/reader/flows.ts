import type { Telemetry } from "@plastron/contracts";
import { native } from "../kernel/libbpf.ts";
import { EVENT } from "../layout.ts";
import { ipv4, ipv6 } from "./endpoints.ts";
import type { EventView } from "./event.ts";

type Flow = Telemetry["network"]["flows"][number];

/** `struct flow` and `struct volume` of native/bpf/flows.bpf.c. */
const KEY = 32;
const VOLUME = 32;

/** Which flows a run has; how much went through each stands in the kernel's map until it is told. */
export class Flows {
  readonly #fd: number;
  readonly #keys: Uint8Array[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  take(event: EventView): void {
    this.#keys.push(event.bytes.slice(event.at + EVENT.size, event.at + EVENT.size + KEY));
  }

  /** Takes them out of the map. */
  tell(): Flow[] {
    return this.#keys.splice(0).flatMap((key) => {
      const volume = new Uint8Array(VOLUME);
      const found = native().lookup(this.#fd, key, volume) === 0;
      native().remove(this.#fd, key);
      return found ? [flowOf(key, new DataView(volume.buffer))] : [];
    });
  }
}

function flowOf(key: Uint8Array, volume: DataView): Flow {
  const fields = new DataView(key.buffer);
  const protocol = fields.getUint16(10, true);
  return {
    protocol: protocol === 6 ? "tcp" : protocol === 17 ? "udp" : "other",
    address: fields.getUint16(8, true) === 10 ? ipv6(key, 16) : ipv4(key, 16),
    port: fields.getUint16(12),
    host: null,
    bytes_in: Number(volume.getBigUint64(0, true)),
    bytes_out: Number(volume.getBigUint64(8, true)),
    packets_in: Number(volume.getBigUint64(16, true)),
    packets_out: Number(volume.getBigUint64(24, true)),
  };
}
