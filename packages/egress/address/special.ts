import { networkInterfaces } from "node:os";
import { type Address, contains, parseAddress, parseRange, type Range } from "./address.ts";

/**
 * Addresses that are nobody's on the internet (IANA's special-purpose registries), and with them every metadata service:
 * 169.254.169.254, 100.100.100.200 and 100.96.0.96 (100.64/10), 192.0.0.192, fd00:ec2::254 (fc00::/7). Those that carry an IPv4
 * address inside (NAT64, 6to4, Teredo, IPv4-compatible) are here because a gateway would take them out again.
 */
const SPECIAL: Range[] = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "100::/64",
  "2001::/23",
  "2001:db8::/32",
  "2002::/16",
  "3fff::/20",
  "5f00::/16",
  "fc00::/7",
  "fe80::/10",
  "fec0::/10",
  "ff00::/8",
].map(parseRange);

/**
 * Whether an address may only be reached by a rule that names it: the special ones, and this host's own, behind which its services
 * listen. `named` are the ranges of the rules that allow; one that holds more than the special range (0.0.0.0/0) does not name it.
 */
export function isForbidden(address: Address, named: readonly Range[], own: readonly Address[] = ownAddresses()): boolean {
  const special = SPECIAL.find((range) => contains(range, address));
  if (special) return !named.some((range) => range.bits >= special.bits && contains(special, range.base) && contains(range, address));
  if (!own.some((one) => Buffer.compare(one, address) === 0)) return false;
  return !named.some((range) => range.bits === 128 && contains(range, address));
}

const OWN_MS = 5000;
let known: { at: number; addresses: Address[] } | undefined;

/** They change while we run: looked up again every few seconds. */
function ownAddresses(): Address[] {
  const now = performance.now();
  if (known && now - known.at < OWN_MS) return known.addresses;
  const texts = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address.replace(/%.*$/, "")));
  known = { at: now, addresses: texts.flatMap((text) => parseAddress(text) ?? []) };
  return known.addresses;
}
