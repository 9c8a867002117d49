import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { PlastronError } from "@plastron/contracts";

/** What is not the public internet (IANA's special-purpose registries): this machine, its networks, and metadata services (169.254.169.254, fd00:ec2::254). */
const CLOSED: readonly [string, number, "ipv4" | "ipv6"][] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.88.99.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
];
const closed = new BlockList();
for (const [net, prefix, family] of CLOSED) closed.addSubnet(net, prefix, family);
/** Of IPv6 only global unicast is public, less what carries an IPv4 address or is kept for documents. */
const global = new BlockList();
global.addSubnet("2000::", 3, "ipv6");
const within = new BlockList();
for (const [net, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const)
  within.addSubnet(net, prefix, "ipv6");

/** Whether an address is one of the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !closed.check(address, "ipv4");
  return family === 6 && global.check(address, "ipv6") && !within.check(address, "ipv6");
}

/**
 * Configuration that holds git to a public host and no other: redirects are not followed, and the connection goes to the addresses that were looked at, so that
 * a name that resolves to another one a moment later leads nowhere. Behind a proxy of the operator's, the proxy resolves: then the look here is all there is.
 * @throws PlastronError forbidden where any address of the host is not public
 */
export async function pinnedToPublic(url: string, resolve: (host: string) => Promise<string[]> = addressesOf): Promise<string[]> {
  const parsed = URL.parse(url);
  if (parsed?.protocol !== "https:" && parsed?.protocol !== "http:") throw refused("Only http and https addresses of public hosts are fetched");
  const host = parsed.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await resolve(host);
  if (addresses.length === 0 || !addresses.every(isPublicAddress)) throw refused(`${host} is not on the public internet`);
  const port = parsed.port || (parsed.protocol === "https:" ? "443" : "80");
  const pin = isIP(host) ? [] : ["-c", `http.curloptResolve=${host}:${port}:${addresses.map((each) => (isIP(each) === 6 ? `[${each}]` : each)).join(",")}`];
  return ["-c", "http.followRedirects=false", ...pin];
}

async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    throw new PlastronError("invalid_request", `there is no host ${host}`, { hint: "Check the address." });
  }
}

const refused = (why: string) => new PlastronError("forbidden", why, { hint: "Bring an archive of it instead." });
