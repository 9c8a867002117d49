/**
 * The words that every other package shares: schemas, ids, the frame format and the error registry.
 * Nothing here has an effect, and nothing here knows who calls it.
 */
export * from "./call-arguments.ts";
export * from "./confinement.ts";
export * from "./egress.ts";
export * from "./env-name.ts";
export * from "./errors.ts";
export * from "./finding.ts";
export * from "./frames.ts";
export * from "./glob.ts";
export * from "./host.ts";
export * from "./ids.ts";
export * from "./images.ts";
export * from "./limits.ts";
export * from "./mount-flags.ts";
export * from "./network.ts";
export * from "./network-request.ts";
export * from "./path-class.ts";
export * from "./run.ts";
export * from "./scan.ts";
export * from "./sensor.ts";
export * from "./stack.ts";
export * from "./telemetry.ts";
export * from "./violation.ts";
export * from "./violation-room.ts";
export * from "./watch.ts";
export * from "./wire.ts";
