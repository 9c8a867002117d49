/** What sandboxes do, seen at the kernel: see README.md. */
import { PlastronError, type Sensor } from "@plastron/contracts";
import type { SensorOptions } from "./options.ts";
import { KernelSensor } from "./sensor.ts";

export type { Sensor } from "@plastron/contracts";
export type { SensorOptions } from "./options.ts";
export { examineSensor, type Presence, sensorControl, trySensor } from "./presence.ts";

/**
 * Loads the programs and begins to read. Costs about half a second, and nothing to what is in no sandbox.
 * @throws PlastronError sensor_unavailable, with what this host has not
 */
export async function openSensor(options: SensorOptions = {}): Promise<Sensor> {
  try {
    return await KernelSensor.open(options);
  } catch (error) {
    throw new PlastronError("sensor_unavailable", (error as Error).message, { cause: error });
  }
}
