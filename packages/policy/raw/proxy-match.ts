import type { NetworkRules } from "@plastron/contracts";
import { addressText, parseAddress } from "./address.ts";
import type { Notes } from "./notes.ts";

/** What a proxy's rule may match: names as DNS has them, in lower case, or addresses in canonical form. */

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const NAME = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);

/** `api.example.com`, `*.example.com`, an address (IPv6 with or without brackets); null for anything else. */
export function hostName(given: string): string | null {
  const text = given.toLowerCase().replace(/\.$/, "");
  const address = parseAddress(text.replace(/^\[(.*)\]$/, "$1"));
  if (address) return addressText(address);
  // All digits and dots is no name: some would read it as an address.
  if (text.length > 253 || /^[0-9.]+$/.test(text) || !NAME.test(text)) return null;
  return text;
}

/** A list with `*` is every host, which the contract writes as an empty one. */
export function hostsOf(given: readonly string[], path: string, notes: Notes): string[] {
  const hosts = given.flatMap((host, i) => {
    if (host === "*") return [];
    const name = hostName(host);
    if (name === null) notes.wrong(`${path}[${i}]`, `${JSON.stringify(host)} is not a host: a name, *.name or an address, without a port (that is ports)`);
    return name === null ? [] : [name];
  });
  return given.includes("*") ? [] : [...new Set(hosts)];
}

export function pathsOf(
  given: readonly { exact?: string | undefined; prefix?: string | undefined }[],
  path: string,
  notes: Notes,
): NetworkRules["http"][number]["match"]["paths"] {
  return given.flatMap(({ exact, prefix }, i) => {
    const at = `${path}[${i}]`;
    const text = exact || prefix;
    if (exact && prefix) notes.wrong(at, "has both exact and prefix: only one of them may be used");
    else if (!text) notes.wrong(at, "names neither exact nor prefix");
    else if (!text.startsWith("/")) notes.wrong(at, `${JSON.stringify(text)} does not begin with /`);
    else if (!/^[\x21-\x7e]*$/.test(text) || /[?#"\\]/.test(text)) {
      notes.wrong(at, `${JSON.stringify(text)} has a character that no path of a request has, or a query: write it as it is sent, percent-encoded, without ?`);
    } else return [exact ? { kind: "exact" as const, path: exact } : { kind: "prefix" as const, path: text }];
    return [];
  });
}

export function methodsOf(given: readonly string[], path: string, notes: Notes): string[] {
  for (const [i, method] of given.entries()) {
    if (!isToken(method)) notes.wrong(`${path}[${i}]`, `${JSON.stringify(method)} is not an HTTP method`);
  }
  return [...new Set(given.map((method) => method.toUpperCase()))];
}

/** RFC 9110, section 5.6.2. */
export function isToken(text: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(text);
}
