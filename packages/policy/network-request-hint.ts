import type { ViolationEvent } from "@plastron/contracts";
import { inward, specialAround } from "./network-request-check.ts";
import { REQUEST_RULE } from "./network-request-rules.ts";
import { type Network, parseAddress } from "./raw/address.ts";

/** Stands for what is no address, and lies nowhere special. */
const NOBODY = parseAddress("8.8.8.8") as Network;

/** A denial's rule and what was tried → what in the request would allow it, in words; null where it is not the request's denial. */
export function allowHint(rule: string, event: ViolationEvent): string | null {
  if (rule !== REQUEST_RULE || event.operation !== "Network" || event.type === "socket") return null;
  if (event.type === "connect") {
    const special = specialAround(parseAddress(event.ip) ?? NOBODY);
    if (special) return `${event.ip} ${inward(special)}`;
    const entry = { cidrs: [event.ip], ports: [event.port] };
    const place = event.ip.includes(":") ? `[${event.ip}]:${event.port}` : `${event.ip}:${event.port}`;
    return `${lacks(`${event.ip}:${event.port}`, entry, place)} for TCP; UDP has no way out`;
  }
  const { host, port, method, path } = event;
  /* A name that was asked for has no port yet. */
  if (method === "" && port === 53) return lacks(host, { domains: [host] }, host);
  const isWeb = port === 80 || port === 443;
  const at = isWeb ? host : `${host}:${port}`;
  const ports = isWeb ? {} : { ports: [port] };
  if (method === "") return lacks(`${host}:${port}`, { domains: [host], ...ports }, at);
  const scheme = port === 80 ? "http" : "https";
  return lacks(`${method} ${host}:${port}${path}`, { domains: [host], ...ports, methods: [method], paths: [path] }, `'${method} ${scheme}://${at}${path}'`);
}

function lacks(what: string, entry: object, flag: string): string {
  return `nothing in network.allow lists ${what}; ${JSON.stringify(entry)} would (--allow-net ${flag})`;
}
