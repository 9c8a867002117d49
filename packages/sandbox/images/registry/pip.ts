import { isAbsolute } from "node:path";
import { placeOf, type Registry, refused } from "./registry.ts";

export type Env = Record<string, string | undefined>;
export type ReadFile = (path: string) => string | undefined;

/** What pip itself would use if nothing were configured. */
export interface PipDefaults {
  index: string;
  /** Serves the archives of that index. */
  files: string;
}

const NAMES = ["index-url", "extra-index-url", "trusted-host", "find-links", "no-index", "cert", "client-cert", "proxy"] as const;
type Name = (typeof NAMES)[number];

/**
 * Where pip gets packages from on this machine: its configuration files, weakest first, then PIP_*. The tenant has no part in this.
 * Errors: packages_failed with the setting that a build in a sandbox cannot follow.
 */
export function pipRegistry(env: Env, read: ReadFile, defaults: PipDefaults): Registry {
  const found = settings(env, read);
  const words = (name: Name) => (found.get(name)?.value ?? "").split(/\s+/).filter(Boolean);
  const from = (name: Name) => `pip's ${name} (${found.get(name)?.from})`;
  if (words("proxy").length > 0 || env.https_proxy || env.HTTPS_PROXY)
    throw refused(
      words("proxy").length > 0 ? from("proxy") : "https_proxy",
      "is set, and builds cannot go through a proxy",
      "Name a registry or mirror that is reached directly.",
    );
  if (words("client-cert").length > 0) throw refused(from("client-cert"), "is a credential, which may not enter a sandbox that runs install scripts");
  const offline = /^(1|true|yes|on)$/i.test(found.get("no-index")?.value ?? "");
  const index = words("index-url")[0];
  const hosts: Registry["hosts"] = [];
  const options: string[] = [];
  if (offline) options.push("--no-index");
  else {
    const main = index ?? defaults.index;
    hosts.push(placeOf(main, index === undefined ? "pip's own index" : from("index-url")));
    options.push("--index-url", main);
    if (new URL(main).hostname === new URL(defaults.index).hostname) hosts.push({ host: defaults.files, port: 443 });
    for (const extra of words("extra-index-url")) {
      hosts.push(placeOf(extra, from("extra-index-url")));
      options.push("--extra-index-url", extra);
    }
  }
  const directories: string[] = [];
  for (const place of words("find-links")) {
    const path = place.startsWith("file://") ? place.slice("file://".length) : place;
    if (isAbsolute(path)) directories.push(path);
    else hosts.push(placeOf(place, from("find-links")));
    options.push("--find-links", isAbsolute(path) ? path : place);
  }
  for (const host of words("trusted-host")) options.push("--trusted-host", host);
  return { hosts, options, directories, certificates: found.get("cert")?.value ?? null };
}

function settings(env: Env, read: ReadFile): Map<Name, { value: string; from: string }> {
  const home = env.HOME ?? "/root";
  const files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", `${home}/.pip/pip.conf`, `${env.XDG_CONFIG_HOME || `${home}/.config`}/pip/pip.conf`];
  const found = new Map<Name, { value: string; from: string }>();
  const override = env.PIP_CONFIG_FILE;
  for (const file of override === "/dev/null" ? [] : [...files, ...(override ? [override] : [])]) {
    const sections = sectionsOf(read(file) ?? "");
    for (const section of ["global", "install"])
      for (const [name, value] of sections.get(section) ?? []) if (isName(name)) found.set(name, { value, from: file });
  }
  for (const [variable, value] of Object.entries(env)) {
    const name = variable.startsWith("PIP_") ? variable.slice(4).toLowerCase().replaceAll("_", "-") : "";
    if (isName(name) && value) found.set(name, { value, from: variable });
  }
  return found;
}

const isName = (name: string): name is Name => (NAMES as readonly string[]).includes(name);

/** Python's configparser as pip uses it: `name = value`, where indented lines go on with the value. */
function sectionsOf(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let name = "";
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\[([^\]]+)\]/.exec(line)?.[1];
    const [, key, value = ""] = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
      name = "";
    } else if (/^\s/.test(line)) {
      if (name !== "") section.set(name, `${section.get(name) ?? ""} ${line.trim()}`.trim());
    } else if (key !== undefined) {
      name = key.toLowerCase().replaceAll("_", "-");
      section.set(name, value.trim());
    }
  }
  return sections;
}
