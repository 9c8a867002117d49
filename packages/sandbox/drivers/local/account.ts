import type { EgressAccount, Telemetry } from "@plastron/contracts";
import { TELEMETRY_BOUNDS } from "@plastron/contracts";
import { withQuestions } from "./egress-who.ts";
import { resourcesOf } from "./resources.ts";
import type { RunEnd } from "./run-end.ts";

/** A run's whole account: what the sensor saw, what its cgroup counted, and what the egress process knows of its way out. */
export function accountOf({ telemetry, egress, stats, before, tracedFrom_us }: RunEnd): Telemetry {
  const whole = { ...telemetry, resources: resourcesOf(stats, before) };
  if (egress === null) return whole;
  const names = withEgress(whole, egress);
  return tracedFrom_us === null ? names : withQuestions(names, egress, tracedFrom_us);
}

/** The kernel counts the bytes of a flow, and the proxy knows the name that was asked for. A flow that only one of them saw is told too. */
function withEgress(telemetry: Telemetry, egress: EgressAccount): Telemetry {
  const { network } = telemetry;
  const hosts = new Map(egress.flows.map((flow) => [`${flow.address} ${flow.port}`, flow.host]));
  const counted = network.flows.map((flow) => ({ ...flow, host: hosts.get(`${flow.address} ${flow.port}`) ?? flow.host }));
  const known = new Set(counted.map((flow) => `${flow.address} ${flow.port}`));
  const others = egress.flows
    .filter((flow) => !known.has(`${flow.address} ${flow.port}`))
    .map(({ address, port, host, bytes_in, bytes_out }) => ({
      protocol: "tcp" as const,
      address,
      port,
      host,
      bytes_in,
      bytes_out,
      packets_in: 0,
      packets_out: 0,
    }));
  const flows = [...counted, ...others];
  const { peers: bound } = TELEMETRY_BOUNDS;
  return {
    ...telemetry,
    network: {
      ...network,
      flows: flows.slice(0, bound),
      names: [...network.names, ...egress.names.map(({ at_us: _, ...name }) => name)].slice(0, TELEMETRY_BOUNDS.names),
    },
    lost: { ...telemetry.lost, listed: telemetry.lost.listed + Math.max(0, flows.length - bound) + egress.flows_dropped + egress.names_dropped },
    flags: [...new Set([...telemetry.flags, ...egress.flags])],
  };
}
