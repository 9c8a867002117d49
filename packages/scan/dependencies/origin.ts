import { Buffer } from "node:buffer";
import type { Origin } from "./facts.ts";

/** Where an address that a lock file names leads to. A bare path, as lock files without addresses have it, is the registry's. */
export function originOf(resolved: string): { origin: Origin; host?: string } {
  if (resolved === "") return { origin: "registry" };
  if (/^(git\+|git:|git@|ssh:|github:|gitlab:|bitbucket:|gist:)/i.test(resolved)) return { origin: "git", ...hostOf(resolved) };
  if (/^(file|link|portal|workspace|patch):/i.test(resolved)) return { origin: resolved.startsWith("workspace:") ? "workspace" : "path" };
  if (/^https?:/i.test(resolved)) {
    const { host } = hostOf(resolved);
    const git = /^https?:\/\/[^/]+\/[^/]+\/[^/]+\.git([#?]|$)/i.test(resolved) || host === "codeload.github.com";
    return { origin: git ? "git" : "registry", ...(host === undefined ? {} : { host }) };
  }
  return { origin: /^[\w.~-]*[/\\]|^\.{1,2}([/\\]|$)/.test(resolved) && !/^[\w@~-]/.test(resolved) ? "path" : "registry" };
}

function hostOf(address: string): { host?: string } {
  const scp = /^git@([\w.-]{1,253}):/.exec(address)?.[1];
  if (scp) return { host: scp.toLowerCase() };
  const url = address.replace(/^git\+/i, "");
  return URL.canParse(url) && new URL(url).host !== "" ? { host: new URL(url).host.toLowerCase() } : {};
}

/** `sha512-BASE64 sha1-BASE64` (https://www.w3.org/TR/SRI/), or `sha256:HEX`, as pairs of algorithm and hexadecimal. */
export function hashesOf(integrity: string): [string, string][] {
  const found: [string, string][] = [];
  for (const part of integrity.slice(0, 4096).split(/[\s,]+/)) {
    const [, algorithm = "", separator = "", value = ""] = /^(md5|sha1|sha256|sha384|sha512)([-:=])([A-Za-z0-9+/=_-]{1,256})$/.exec(part) ?? [];
    if (algorithm === "") continue;
    const hexadecimal = separator === "-" && !/^[0-9a-f]{40,128}$/.test(value) ? Buffer.from(value, "base64").toString("hex") : value.toLowerCase();
    if (/^[0-9a-f]{32,128}$/.test(hexadecimal)) found.push([algorithm, hexadecimal]);
  }
  return found;
}

/** What an address of npm's layout (`…/NAME/-/BASE-VERSION.tgz`) says that it gives, where that is not what the lock file says; and whether anybody on the way can change it. */
export function labelOf(resolved: string, name: string, version: string): { mislabelled?: string; plain?: true } {
  const plain = /^http:\/\/(?!localhost[:/]|127\.|\[::1\])/i.test(resolved) ? { plain: true as const } : {};
  const [, before = "", file = ""] = /^https?:\/\/[^/]+\/(.{1,300})\/-\/([^?#]{1,300})\.tgz(?:[?#].*)?$/i.exec(resolved.slice(0, 2000)) ?? [];
  if (file === "" || name === "" || version === "") return plain;
  const path = `/${before.replace(/%2f/gi, "/").replace(/%40/g, "@")}`.toLowerCase();
  const base = name.slice(name.indexOf("/") + 1);
  // Some registries repeat the scope before the file's name.
  const said = file.slice(file.lastIndexOf("/") + 1).toLowerCase();
  const right = path.endsWith(`/${name.toLowerCase()}`) && [version, version.replace(/\+.*$/, "")].some((each) => said === `${base}-${each}`.toLowerCase());
  return right ? plain : { ...plain, mislabelled: `${before.slice(before.lastIndexOf("/") + 1)}: ${file}`.slice(0, 200) };
}
