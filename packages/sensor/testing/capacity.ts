// The reader's own pace, in plain Node: a test runner's imports cost as much again. Prints the processor time of a million events, in
// seconds, and what came of them.
import type { Accounts } from "../account.ts";
import { EVENT, EVENT_KIND, FLAG } from "../layout.ts";
import { EventView } from "../reader/event.ts";
import { Run } from "../reader/run.ts";

const accounts = { get: () => 0, count: () => 0, each: () => [], halves: () => [0, 0], add: () => {} } as unknown as Accounts;
const bounds = { processes: 100, files: 200, peers: 100, denials: 100, timeline: 5000 };

/** A run that no kernel's side counts for. */
export const uncountedRun = (): Run => new Run(0, 1, { accounts, flowsFd: -1, bounds, stackOf: () => null, onDenial() {} });

/** As the kernel's side lays it: a refused open of `asked` by `exe`. */
export function refusedOpen(asked: string, exe: string): EventView {
  const bytes = new Uint8Array(4096);
  const fields = new DataView(bytes.buffer);
  const data = Buffer.from(`${asked}\0${exe.split("/").slice(1).reverse().join("\0")}\0`);
  fields.setUint16(EVENT.kind, EVENT_KIND.call, true);
  fields.setUint32(EVENT.generation, 1, true);
  fields.setUint32(EVENT.number, process.arch === "arm64" ? 56 : 257, true);
  fields.setUint32(EVENT.flags, FLAG.denied, true);
  fields.setBigInt64(EVENT.result, -13n, true);
  fields.setUint16(EVENT.parts + 2, Buffer.byteLength(asked) + 1, true);
  fields.setUint16(EVENT.parts + 10, data.length - Buffer.byteLength(asked) - 1, true);
  bytes.set(data, EVENT.size);
  const event = new EventView(bytes);
  event.move(0, EVENT.size + data.length);
  return event;
}

if (process.argv[1] === import.meta.filename) {
  const event = refusedOpen("/etc/shadow", "/usr/bin/python3.11");
  const run = uncountedRun();
  const began = process.cpuUsage();
  for (let taken = 0; taken < 1_000_000; taken++) run.take(event);
  const { user, system } = process.cpuUsage(began);
  process.stdout.write(JSON.stringify({ seconds: (user + system) / 1e6, denials: run.tell(null).denials }));
}
