/**
 * RunSpec → RunResult. `openDriver` gives the strongest driver that this host can carry; `doctor` says what works and why.
 */
export type { Control, DriverOptions, Output, SandboxDriver, Session, SessionSpec } from "./driver.ts";
export { gvisorFacts } from "./drivers/gvisor/facts.ts";
export { sandboxGroup } from "./drivers/local/cgroups.ts";
export { INTERPRETER_FILES } from "./drivers/local/sources.ts";
export type { BuildOrder, ImageOptions, Images } from "./images/index.ts";
export { type DriverName, openDriver } from "./open.ts";
export { doctor, hostFacts } from "./probes/index.ts";
