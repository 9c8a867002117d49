import type { HostFacts } from "@plastron/contracts";
import type { Intent } from "../../orders/order.ts";
import { addressOf, connecting } from "../../rules/probes-raw.ts";
import { isLoopback, reachesLoopback } from "../loopback.ts";
import type { Measure } from "../measure.ts";

type ConnectIntent = Extract<Intent, { kind: "connect" }>;

/** An address that may not be connected to. The programs that decide are made of all such rules together (hooks.ts). */
export function connectMeasure(intent: ConnectIntent, id: string, host: HostFacts, network: boolean): Measure {
  const tests = [connecting(`${id}.connect`, intent)];
  const observed = isLoopback(addressOf(intent.cidr)) ? tests : [];
  if (host.hooks) {
    const way = network ? "; the way out holds what a name resolves to against the same rules" : "; the network beyond loopback is empty";
    const mechanism = `programs of the sandbox's control group refuse connect and sendto, also in IPv6 spellings of an IPv4 address${way}`;
    return { claim: { fidelity: "exact", mechanism, note: "unconnected datagrams are refused too, which pass upstream's rules", self_tests: tests, observed } };
  }
  const needs = "needs BPF programs on the sandbox's control group";
  if (network || reachesLoopback(intent.cidr)) return { claim: { fidelity: "unsupported", mechanism: "none", note: needs, self_tests: [] } };
  const mechanism = "own network namespace with nothing but loopback: no packet can leave";
  return { claim: { fidelity: "stricter", mechanism, note: "no address outside the sandbox can be reached at all", self_tests: tests, observed } };
}
