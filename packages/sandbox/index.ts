/**
 * RunSpec → RunResult. `openDriver` gives the strongest driver that this host can carry; `doctor` says what works and why.
 */
export type { Control, DriverOptions, Output, SandboxDriver, Session, SessionSpec } from "./driver.ts";
export type { BuildOrder, ImageOptions, Images } from "./images/index.ts";
export { gvisorFacts } from "./drivers/gvisor/facts.ts";
export { type DriverName, openDriver } from "./open.ts";
export { doctor, hostFacts } from "./probes/index.ts";
