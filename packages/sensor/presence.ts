import { mkdtempSync, readFileSync, rmdirSync } from "node:fs";
import type { Control, Sensor } from "@plastron/contracts";
import type { SensorOptions } from "./options.ts";
import { KernelSensor } from "./sensor.ts";

/** A sensor, or why there is none: as a driver takes it. */
export interface Presence {
  sensor?: Sensor;
  sensorMissing?: string;
}

/** A host without a sensor confines as much and sees nothing: nobody fails for it, and every run says so. Logs it once. */
export async function trySensor(options: SensorOptions = {}): Promise<Presence> {
  try {
    return { sensor: await KernelSensor.open(options) };
  } catch (error) {
    const why = (error as Error).message;
    options.log?.("there is no sensor: what sandboxes do is not seen, and rate rules do not hold", { why });
    return { sensorMissing: `the sensor could not be opened: ${why}` };
  }
}

const REMEDY =
  "Run as root (with CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN) on Linux 5.11 or later with BTF (/sys/kernel/btf/vmlinux), and let `./plastron up` build the sensor (it installs clang and libbpf).";

/** The row of `plastron doctor`: of the sensor that is open, or was to be. */
export function sensorControl({ sensor, sensorMissing }: Presence, ms = 0): Control {
  const row = { id: "sensor", title: "What sandboxes do is seen at the kernel, and rate rules hold", required: false, ms };
  if (!sensor) return { ...row, status: "missing", detail: sensorMissing ?? "none was opened", remedy: REMEDY };
  const blind = sensor instanceof KernelSensor ? sensor.missing : [];
  if (blind.length > 0) return { ...row, status: "degraded", detail: `it does not see: ${blind.join("; ")}`, remedy: REMEDY };
  return { ...row, status: "working", detail: "its programs are loaded and its events are read", remedy: null };
}

/** The same where none is open: opens one for a moment, on a cgroup of its own. */
export async function examineSensor(): Promise<Control> {
  const began = performance.now();
  const cgroup = makeGroup();
  try {
    const presence = await trySensor({ cgroup });
    const row = sensorControl(presence);
    await presence.sensor?.close();
    return { ...row, ms: Math.round(performance.now() - began) };
  } finally {
    if (cgroup !== null) rmdirSync(cgroup);
  }
}

/** Of the unified hierarchy; null where there is none that can be written. */
function makeGroup(): string | null {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  const unified = mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2")?.[1];
  if (unified === undefined) return null;
  try {
    return mkdtempSync(`${unified}/plastron-doctor-${process.pid}-sensor-`);
  } catch {
    return null;
  }
}
