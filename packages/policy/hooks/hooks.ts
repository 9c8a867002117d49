import type { HookPoint, Hooks } from "@plastron/contracts";
import type { PortRange } from "../orders/order.ts";
import { bindProgram, program4, program6 } from "./destinations.ts";
import { deviceProgram } from "./devices.ts";
import { exceptOf } from "./only.ts";
import { socketProgram } from "./sockets.ts";
import { both, NOTHING, outcomeOf } from "./verdict.ts";

/**
 * What programs on the sandbox's cgroup decide. `rule` is the index in the confinement's `rules`, at most 2^30 - 1. A call is
 * refused when any rule that matches denies; recorded is the first rule that denies and reports, else the first that reports.
 */
export interface HookRules {
  /**
   * `cidr` null: every address of both families. No ports: every port. A rule on loopback holds for 0.0.0.0 and :: too, which reach
   * it, unless `unspecified` is false (vArmor's `pod-self` is the one that says so).
   */
  connects: readonly {
    rule: number;
    cidr: string | null;
    ports: readonly PortRange[];
    unspecified?: boolean | undefined;
    deny: boolean;
    report: boolean;
  }[];
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
  /**
   * Every address is refused but these, the sandbox's own loopback and the addresses that stand for names; refused all the same is
   * what `connects` denies. No ports: every port.
   */
  only?: { rule: number; allowed: readonly { cidr: string; ports: readonly PortRange[] }[] } | undefined;
  /** Only null, zero, full, random, urandom and tty can be opened. */
  devices: boolean;
}

/**
 * eBPF for each attach point that the rules need; null where they need none. Throws RangeError for text that is no address.
 *
 * What the rules of `connects` mean beyond their words: IPv4 rules hold for the IPv6 spellings of an address (::ffff:a.b.c.d,
 * ::a.b.c.d, ::ffff:0:a.b.c.d, 64:ff9b::a.b.c.d); rules hold for 0.0.0.0 and :: where these reach what
 * they are about (loopback, or what the socket is bound to), but not the other way round; and where any of them denies, sockets that could go around (raw, ping, UDP-Lite, SCTP, DCCP) cannot be made.
 */
export function assembleHooks(rules: HookRules): Hooks | null {
  const hasEffect = ({ deny, report }: { deny: boolean; report: boolean }) => deny || report;
  const [connects, sockets, binds] = [rules.connects.filter(hasEffect), rules.sockets.filter(hasEffect), rules.binds.filter(hasEffect)];
  const programs: { at: HookPoint; code: string }[] = [];
  const add = (code: Uint8Array, ...points: HookPoint[]) => {
    for (const at of points) programs.push({ at, code: Buffer.from(code).toString("base64") });
  };
  const others = rules.only && { rule: rules.only.rule, deny: true, report: true };
  const guard = [...connects.filter(({ deny }) => deny), ...(others ? [others] : [])].map(outcomeOf).reduce(both, NOTHING);
  if (connects.length > 0 || rules.only) {
    const only = rules.only && exceptOf(rules.only);
    add(program4("connect4", connects, only), "connect4");
    add(program4("sendmsg4", connects, only), "sendmsg4");
    add(program6(connects, only), "connect6", "sendmsg6");
  }
  if (binds.length > 0) add(bindProgram(4, binds), "bind4");
  if (binds.length > 0) add(bindProgram(6, binds), "bind6");
  if (sockets.length > 0 || guard.deny) add(socketProgram(sockets, guard), "sock_create");
  if (rules.devices) add(deviceProgram(), "device");
  return programs.length === 0 ? null : { programs };
}
