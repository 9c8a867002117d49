import { networkInterfaces } from "node:os";
import { SPECIAL_ADDRESSES } from "@plastron/contracts";
import { type Address, contains, parseAddress, parseRange, type Range } from "./address.ts";

const SPECIAL: Range[] = SPECIAL_ADDRESSES.map(parseRange);

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
