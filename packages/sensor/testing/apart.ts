// A sensor in a process of its own, which the tests can hold up: it opens one with the ring of its first argument's size, and does
// what it is told over its channel.
import type { Watchpoint } from "@plastron/contracts";
import { KernelSensor } from "../sensor.ts";
import { NO_RATES } from "./stage.ts";

const sensor = await KernelSensor.open({ ringBytes: Number(process.argv[2]), stacks: false });
const points = new Map<number, Watchpoint>();
process.on("message", async ({ what, pid }: { what: "arm" | "collect" | "close"; pid: number }) => {
  if (what === "arm") {
    const point = sensor.place({ pid, cgroup: null });
    points.set(pid, point);
    point.arm({ sensing: "account", rates: NO_RATES, onDenial() {}, onBreak() {} });
    process.send?.({ pid });
  } else if (what === "collect") {
    process.send?.({ pid, telemetry: await points.get(pid)?.collect() });
  } else {
    await sensor.close();
    process.disconnect();
  }
});
process.send?.({ pid: 0 });
