import { PlastronError } from "@plastron/contracts";

/** A place that packages come from, as the machine's own installer is configured. */
export interface Registry {
  /** Hosts and ports that a build may reach: the registry's, and those that serve its archives. */
  hosts: { host: string; port: number }[];
  /** Options of the installer. */
  options: string[];
  /** Local directories of archives that are shown to the build at the same path. */
  directories: string[];
  /** A file of certificates (on this machine) that the registry is certified by. */
  certificates: string | null;
}

/** Host and port of an address; credentials and private addresses without a name are refused by the setting that has them. */
export function placeOf(url: string, setting: string): { host: string; port: number } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw refused(setting, "is not a URL");
  }
  if (parsed.protocol !== "https:" && parsed.protocol !== "http:") throw refused(setting, "is neither http nor https");
  if (parsed.username !== "" || parsed.password !== "")
    throw refused(
      setting,
      "has credentials, which may not enter a sandbox that runs install scripts",
      "Serve packages from a registry or mirror that asks for none, and name it there.",
    );
  const host = parsed.hostname.toLowerCase();
  if (host === "localhost" || /^\[|^[\d.]+$/.test(host))
    throw refused(setting, "names an address, which means another machine inside a sandbox", "Give it a name: in /etc/hosts, or in DNS.");
  return { host, port: Number(parsed.port) || (parsed.protocol === "https:" ? 443 : 80) };
}

export function refused(setting: string, why: string, hint = "Change the installer's configuration on this machine."): PlastronError {
  return new PlastronError("packages_failed", `${setting} ${why}`, { hint });
}
