import type { HostFacts } from "@plastron/contracts";
import { hostCidr } from "./intents.ts";
import type { Intent } from "./order.ts";

export interface ServiceName {
  namespace: string;
  name: string;
}

/** Where those services of the operator's map answer. Null: there is no map, or none of them is in it. */
export function serviceIntents({ cluster }: HostFacts, services: readonly ServiceName[]): readonly Intent[] | null {
  const found = (cluster?.services ?? []).filter((each) => services.some(({ namespace, name }) => each.namespace === namespace && each.name === name));
  const intents = found.flatMap(({ addresses, ports }) =>
    addresses.map((address): Intent => ({ kind: "connect", cidr: hostCidr(address), ports: ports.map((port) => [port, port] as const) })),
  );
  return intents.length > 0 ? intents : null;
}
