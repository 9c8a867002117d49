import { chmodSync } from "node:fs";
import { afterAll, beforeAll } from "vitest";
import { KernelSensor } from "../sensor.ts";
import { scratchFolder } from "./stage.ts";

/** What the tests of one `describe` share: a folder that programs of any user may enter, and a sensor from its first test to its last. */
export function openStage(): { readonly folder: string; readonly sensor: KernelSensor } {
  const { path, remove } = scratchFolder();
  const stage = { folder: path, sensor: undefined as unknown as KernelSensor };
  beforeAll(async () => {
    chmodSync(path, 0o755);
    stage.sensor = await KernelSensor.open({});
  });
  afterAll(async () => {
    await stage.sensor?.close();
    remove();
  });
  return stage;
}
