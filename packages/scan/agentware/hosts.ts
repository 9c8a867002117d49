import type { Lists } from "./lists.ts";

const URLS = /\b(?:https?|ftp|ws|wss|tcp):\/\/[^\s"'`<>()\\|;]{3,500}/gi;

export interface FoundUrl {
  readonly url: string;
  readonly host: string;
  readonly traits: readonly string[];
  readonly start: number;
}

/** URLs of a text with what their hosts are known for. */
export function urlsOf(text: string, lists: Lists): FoundUrl[] {
  const found: FoundUrl[] = [];
  for (const match of text.matchAll(URLS)) {
    if (found.length >= 500) break;
    const url = match[0].replace(/[.,:!?*_\]}]+$/, "");
    found.push({ url, host: hostOf(url), traits: traitsOf(url, lists), start: match.index });
  }
  return found;
}

export function hostOf(url: string): string {
  const authority = /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? "";
  return (authority.split("@").at(-1) ?? "").replace(/:\d*$/, "").toLowerCase();
}

/**
 * raw-host: an address instead of a name. drop-host: made to take data from anybody (webhooks, bots, request bins). paste-host: anybody
 * can put code there. short-host: leads who knows where. trusted: an installer known well. local: this machine. mark: a name for examples.
 */
export function traitsOf(url: string, lists: Lists): readonly string[] {
  const host = hostOf(url);
  const plain = url.replace(/^[a-z]+:\/\//i, "").toLowerCase();
  const traits: string[] = [];
  if (/^(?:localhost|127\.|0\.0\.0\.0|\[::1\]|host\.docker\.internal|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.)/.test(host) || host === "")
    traits.push("local");
  else if (/^(?:\d{1,3}(?:\.\d{1,3}){3}|0x[0-9a-f]+|\d{8,10}|\[[0-9a-f:]+\])$/.test(host)) traits.push("raw-host");
  if (named(plain, host, lists.of("drop_hosts"))) traits.push("drop-host");
  if (named(plain, host, lists.of("paste_hosts"))) traits.push("paste-host");
  if (named(plain, host, lists.of("short_hosts"))) traits.push("short-host");
  if (named(plain, host, lists.of("trusted_installers"))) traits.push("trusted");
  if (/^http:/i.test(url) && !traits.includes("local")) traits.push("plain-http");
  if (/(?:^|\.)xn--/.test(host) || /[^\u0000-\u007f]/.test(host)) traits.push("odd-name");
  return traits;
}

/** `host`, `host/path…` or `*.host`. */
function named(plain: string, host: string, entries: readonly string[]): boolean {
  return entries.some((entry) =>
    entry.includes("/") ? plain.startsWith(entry) || plain.startsWith(`www.${entry}`) : host === entry || host.endsWith(`.${entry}`),
  );
}
