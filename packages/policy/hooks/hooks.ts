import type { HookPoint, Hooks } from "@plastron/contracts";
import type { PortRange } from "../orders/order.ts";
import { deviceProgram } from "./devices.ts";

/**
 * What programs on the sandbox's cgroup decide. `rule` is the index in the confinement's `rules`. A rule that neither denies
 * nor reports has no effect; one that only reports lets pass and records.
 */
export interface HookRules {
  /** `cidr` null: every address of both families. No ports: every port. */
  connects: readonly { rule: number; cidr: string | null; ports: readonly PortRange[]; deny: boolean; report: boolean }[];
  /** All lists that are not empty must match. The kernel asks about AF_INET and AF_INET6 only: other families are the filter's. */
  sockets: readonly {
    rule: number;
    families: readonly number[];
    types: readonly number[];
    protocols: readonly number[];
    deny: boolean;
    report: boolean;
  }[];
  binds: readonly { rule: number; ports: readonly PortRange[]; deny: boolean; report: boolean }[];
  /** Only null, zero, full, random, urandom and tty can be opened. */
  devices: boolean;
}

/** eBPF for each attach point that the rules need; null where they need none. Throws RangeError for an address that is none. */
export function assembleHooks(rules: HookRules): Hooks | null {
  const programs: { at: HookPoint; code: string }[] = [];
  if (rules.devices) programs.push({ at: "device", code: Buffer.from(deviceProgram()).toString("base64") });
  return programs.length === 0 ? null : { programs };
}
