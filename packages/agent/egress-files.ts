import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { PlastronError } from "@plastron/contracts";

/**
 * The operator's names for addresses (PLASTRON_EGRESS_HOSTS), as in /etc/hosts: `ADDRESS NAME...` a line, # for words. A name in it
 * leads to that one address whatever it is: how a run reaches a service of one's own without a rule that opens its network.
 * Throws PlastronError invalid_request that names the file and the line.
 */
export function readHosts(path: string): Record<string, string> {
  const hosts: Record<string, string> = {};
  read("PLASTRON_EGRESS_HOSTS", path)
    .split("\n")
    .forEach((line, i) => {
      const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
      if (address === "") return;
      const wrong = (why: string) =>
        new PlastronError("invalid_request", `PLASTRON_EGRESS_HOSTS: ${path}:${i + 1}: ${why}`, { hint: "Each line is ADDRESS NAME..." });
      if (isIP(address) === 0 || address.includes("%")) throw wrong(`${JSON.stringify(address.slice(0, 60))} is not an address`);
      if (names.length === 0) throw wrong("names nothing");
      for (const name of names) {
        const known = name.toLowerCase();
        if (!/^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(known) || known.length > 253)
          throw wrong(`${JSON.stringify(name.slice(0, 60))} is not a name`);
        if (Object.hasOwn(hosts, known) && hosts[known] !== address) throw wrong(`${known} has two addresses; it can have one`);
        hosts[known] = address;
      }
    });
  return hosts;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Certificates that servers may be certified by beside the public ones (PLASTRON_EGRESS_TRUST), PEM: for TLS that the proxy ends.
 * Throws PlastronError invalid_request that names the file.
 */
export function readTrust(path: string): string[] {
  const found = read("PLASTRON_EGRESS_TRUST", path).match(CERTIFICATE) ?? [];
  const wrong = (why: string) => new PlastronError("invalid_request", `PLASTRON_EGRESS_TRUST: ${path}: ${why}`, { hint: "Name a file of PEM certificates." });
  if (found.length === 0) throw wrong("holds no certificate");
  found.forEach((text, i) => {
    try {
      new X509Certificate(text);
    } catch {
      throw wrong(`certificate ${i + 1} cannot be read`);
    }
  });
  return found;
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new PlastronError("invalid_request", `${variable}: ${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
