import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import type { NetworkRequest, SecretGrant } from "@plastron/contracts";
import { usage } from "../failure.ts";

type Allow = Exclude<NetworkRequest, "none">["allow"][number];
/** What is left out has the server's default; the server checks it all again. */
type Entry = Partial<Allow>;

/** Fields of a request; absent where no flag asked for them. */
export interface NetworkFields {
  network?: "none" | { allow: Entry[] };
  secrets?: SecretGrant[];
}

export interface NetworkFlags {
  allowNet?: string[];
  secret?: string[];
}

const FORMS =
  "Write a name (api.example.com, *.example.com:8443), METHODS and a URL ('GET,POST https://api.example.com/v1/*'), an address or network (192.0.2.0/24:5432, [2001:db8::1]:443), or none.";

/** `--allow-net` and `--secret`, each given any number of times. Throws Failure invalid_request that names the flag. */
export function parseNetwork({ allowNet = [], secret = [] }: NetworkFlags): NetworkFields {
  const secrets = secret.length > 0 ? { secrets: secret.map(parseSecret) } : {};
  if (allowNet.length === 0) return secrets;
  if (!allowNet.includes("none")) return { network: { allow: allowNet.map(parseAllow) }, ...secrets };
  if (allowNet.some((one) => one !== "none")) throw usage("--allow-net none stands alone", "Leave it out, or leave the others out.");
  return { network: "none", ...secrets };
}

/** One thing that the run may reach. */
function parseAllow(text: string): Entry {
  const trimmed = text.trim();
  if (["", "*", "all", "any"].includes(trimmed)) throw wrong(text, "does not say what may be reached: everything at once is a policy's to give");
  const url = /^(?:([A-Za-z]+(?:,[A-Za-z]+)*)\s+)?(https?):\/\/([^/?#]*)(.*)$/i.exec(trimmed);
  if (url) return parseUrl(text, url as unknown as UrlParts);
  if (/\s/.test(trimmed)) throw wrong(text, "has a method without a URL");
  if (/^[a-z]+:\/\//i.test(trimmed)) throw wrong(text, "is no http or https URL: other protocols are named by host and port");
  const { host, ports } = splitPorts(text, trimmed);
  return { ...placeOf(text, host), ...ports };
}

type UrlParts = [whole: string, methods: string | undefined, scheme: string, authority: string, path: string];

/** `https://host` and `https://host/` are all of the host; any other path is that path, or with `*` at its end what begins so. */
function parseUrl(text: string, [, methods, scheme, authority, path]: UrlParts): Entry {
  if (authority.includes("@")) throw wrong(text, "has a name and a password: give those as --secret");
  if (/[?#]/.test(path)) throw wrong(text, "has a query: queries are not compared, leave it out");
  const { host, ports } = splitPorts(text, authority);
  const place = placeOf(text, host);
  const said = { ...(methods ? { methods: methods.toUpperCase().split(",") } : {}), ...(path === "" || path === "/" ? {} : { paths: [path] }) };
  if (!place.domains && Object.keys(said).length > 0) throw wrong(text, "asks for methods or paths of an address: they are seen for names alone");
  return { ...place, ports: [scheme.toLowerCase() === "https" ? 443 : 80], ...ports, ...said };
}

/** `host`, `host:443`, `host:80,443`, `[2001:db8::1]:443`; an IPv6 address without brackets has no port. */
function splitPorts(text: string, from: string): { host: string; ports: Pick<Entry, "ports"> } {
  const parts = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(from);
  if (!parts || isIP(from.split("/")[0] as string) === 6) return { host: from, ports: {} };
  const [, bracketed, plain = "", list] = parts;
  const host = bracketed ?? plain;
  if (list === undefined) return { host, ports: {} };
  const ports = list.split(",").map(Number);
  if (!/^\d{1,5}(,\d{1,5})*$/.test(list) || ports.some((port) => port < 1 || port > 65_535))
    throw wrong(text, `has a port that is none: ${JSON.stringify(list)}`);
  return { host, ports: { ports } };
}

function placeOf(text: string, host: string): Entry {
  const [address = "", length] = host.split("/");
  if (isIP(address) > 0) {
    if (length !== undefined && !/^\d{1,3}$/.test(length)) throw wrong(text, "has a network whose length is no number");
    return { cidrs: [host] };
  }
  if (host.includes("/")) throw wrong(text, "has a path without http:// or https:// before the name");
  const name = host.replace(/\.$/, "");
  if (/[^\x21-\x7e]/.test(name)) {
    const ascii = domainToASCII(name.replace(/^\*\./, ""));
    throw wrong(
      text,
      `has letters that look like others; names are written as DNS has them${ascii === "" ? "" : `: ${name.startsWith("*.") ? "*." : ""}${ascii}`}`,
    );
  }
  if (!/^(\*\.)?[A-Za-z0-9_.-]+$/.test(name))
    throw wrong(text, name.includes("*") ? "has a * inside: only *. at the beginning is understood" : "is no name and no address");
  return { domains: [name.toLowerCase()] };
}

/** `OPENAI_API_KEY=openai/token@api.openai.com,*.openai.com`: the variable, the secret's name and key, where it may go. */
function parseSecret(text: string): SecretGrant {
  const parts = /^([A-Za-z_][A-Za-z0-9_]*)=([A-Za-z0-9][A-Za-z0-9._-]*)\/([A-Za-z0-9][A-Za-z0-9._-]*)@(.+)$/.exec(text);
  if (!parts) {
    const hint = "For example --secret OPENAI_API_KEY=openai/token@api.openai.com: variable, name/key of the secret, and the hosts that it may go to.";
    // What was typed may be the secret itself: it is not repeated.
    throw usage(`--secret ${/^\w+(?==)/.exec(text)?.[0] ?? "…"} cannot be read; the value itself is never given on the command line`, hint);
  }
  const [, env, name, key, hosts] = parts as unknown as [string, string, string, string, string];
  return { env, name, key, hosts: hosts.split(",").map((host) => hostOf(host)) };
}

function hostOf(host: string): string {
  if (isIP(host) === 0 && /^(\*\.)?[A-Za-z0-9_.-]+$/.test(host)) return host.toLowerCase().replace(/\.$/, "");
  throw usage(`--secret …@${host} does not name a host`, "Hosts are names, such as api.openai.com or *.openai.com; ports come from --allow-net.");
}

function wrong(text: string, why: string): Error {
  return usage(`--allow-net ${text} ${why}`, FORMS);
}
