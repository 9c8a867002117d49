import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { native } from "../kernel/libbpf.ts";
import type { ReaderData, ToReader } from "./messages.ts";
import { Reader } from "./reader.ts";
import type { Stacks } from "./stops.ts";

// A thread of its own: neither does the agent's work hold up the ring, nor the ring the agent's work. It never returns to its event
// loop while it reads, so that messages are fetched, and waiting is the kernel's.
const data = workerData as ReaderData & { port: MessagePort };
const { port } = data;
const reader = new Reader(data, data.bounds.stacks === 0 ? null : await stacks(), (message) => port.postMessage(message));
// A reader that has to wait for its turn behind what it looks at loses events.
native().setpriority(0, 0, -15);
port.postMessage({ kind: "ready", stacks: reader.hasStacks });
while (!reader.isLeaving) {
  reader.wait();
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) reader.answer(next.message as ToReader);
}
port.close();

async function stacks(): Promise<Stacks | null> {
  return import("../stacks/index.ts").catch(() => null);
}
