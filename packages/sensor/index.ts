/** What sandboxes do, seen at the kernel: see README.md. */
export type { Sensor } from "@plastron/contracts";
