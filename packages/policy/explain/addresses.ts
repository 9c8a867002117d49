import { rangesOf, spelledV4 } from "../hooks/destinations.ts";
import type { Order } from "../orders/order.ts";
import { parseAddress } from "../raw/address.ts";
import type { Call } from "./call.ts";

const CALLS = ["connect", "sendto", "sendmsg", "sendmmsg"];
const PRIVILEGED_PORTS = 1024;

/** Whether a rule on addresses is about where the call wanted to go, by every spelling that the hooks know (hooks/destinations.ts). */
export function deniesAddress({ intents }: Order, { denial: { call, errno, to } }: Call): boolean {
  if (errno !== "EPERM" || !CALLS.includes(call) || to === null) return false;
  const found = to.family === "inet" || to.family === "inet6" ? parseAddress(to.address) : null;
  if (!found) return false;
  const four = found.family === 6 ? spelledV4(found.base) : null;
  const addresses = [found, ...(four === null ? [] : [{ family: 4 as const, base: four }])];
  return intents.some(
    (intent) =>
      intent.kind === "connect" &&
      (intent.ports.length === 0 || intent.ports.some(([first, last]) => first <= to.port && to.port <= last)) &&
      rangesOf(intent).some(({ family, first, last }) => addresses.some((each) => each.family === family && first <= each.base && each.base <= last)),
  );
}

/** A low port, which takes a capability: the kernel says EACCES, and the hooks of the sandbox's control group EPERM. */
export function bindsLowPort({ denial: { call, to } }: Call): boolean {
  return call === "bind" && to !== null && (to.family === "inet" || to.family === "inet6") && to.port > 0 && to.port < PRIVILEGED_PORTS;
}
