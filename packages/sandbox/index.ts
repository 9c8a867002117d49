/**
 * RunSpec → RunResult. `openDriver` gives the strongest driver that this host can carry; `doctor` says what works and why.
 */
export type { Control, DriverOptions, Output, SandboxDriver, Session, SessionSpec } from "./driver.ts";
// open.ts:   export async function openDriver(options: DriverOptions, preference?: "local" | "bubblewrap"): Promise<SandboxDriver>
// probes/:   export async function doctor(): Promise<DoctorReport>;  export async function hostFacts(): Promise<HostFacts>
