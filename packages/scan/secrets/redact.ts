import { createHash } from "node:crypto";
import type { Detector } from "./rule.ts";

/** What may be shown of a secret: enough for its owner to know which one it is, of no use to anybody else. */
export function redacted(secret: string, show: Detector["show"]): string {
  if (show === "nothing" || secret.length < 16) return HIDDEN;
  if (secret.startsWith("-----BEGIN")) return `${/^-----[A-Z0-9 ]{1,60}-----/.exec(secret)?.[0] ?? "-----BEGIN"}${HIDDEN}`;
  const shown = secret.length >= 28 ? 4 : 2;
  return printable(`${secret.slice(0, shown)}${HIDDEN}${secret.length >= 28 ? secret.slice(-2) : ""}`);
}
const HIDDEN = "\u2026";
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u2026]/g, "?");

/** Equal secrets have equal digests, wherever and however they are written. */
export const digestOf = (detector: string, secret: string): string => createHash("sha256").update(`${detector}\0${secret}`).digest("hex").slice(0, 32);

/**
 * Hides in any text what looks like a secret, for snippets and messages of others: no detector's precision, and rather too much than too little.
 * Bounded work for each character; what is shown keeps its lines.
 */
export function redactSecrets(text: string): string {
  let clear = text.replace(KEY_BLOCK, (_, header: string) => `${header}${HIDDEN}`);
  clear = clear.replace(URL_PASSWORD, (_, before: string) => `${before}${HIDDEN}@`);
  clear = clear.replace(PREFIXED, (token) => redacted(token, "ends"));
  clear = clear.replace(HEADER, (_, before: string) => `${before}${HIDDEN}`);
  clear = clear.replace(ASSIGNED, (whole, before: string, value: string) => (REFERENCE.test(value) ? whole : `${before}${HIDDEN}`));
  return clear.replace(RANDOM, (token) => (isRandom(token) ? redacted(token, "ends") : token));
}

const KEY_BLOCK = /(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)[\s\S]{1,12000}?(?:-----END [A-Z0-9 ]{0,40}-----|$|(?=[^\sA-Za-z0-9+/=\\"',:.-]))/g;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{0,128}:)[^\s@"'<>/]{1,256}@/gi;
const PREFIXED =
  /(?<![A-Za-z0-9_])(?:gh[opusr]_|github_pat_|gl[a-z]{2,6}-|npm_|pypi-|sk-|sk_(?:live|test)_|rk_(?:live|test)_|pk\.|whsec_|xox[a-z]-|xapp-|hf_|hvs\.|hvb\.|dckr_pat_|AKIA|ASIA|AIza|ya29\.|eyJ|SG\.|shp[a-z]{2}_|dop_v1_|doo_v1_|r8_|gsk_|xai-|pplx-|nvapi-|lsv2_|sbp_|pul-|dp\.pt\.|ops_|glsa_|glc_|sntry[a-z]_|dapi|PMAK-|rubygems_|NRAK-|lin_api_|ntn_|secret_|figd_|pat-|sq0[a-z]{3}-|AGE-SECRET-KEY-)[A-Za-z0-9_.=+/-]{12,2000}/g;
const HEADER =
  /(\b(?:authorization|proxy-authorization|cookie|set-cookie|x-api-key)["']?\s{0,4}[:=]\s{0,4}["']?(?:(?:bearer|basic|token|digest)\s{1,4})?)[^\s"'`,;]{6,2000}/gi;
const ASSIGNED =
  /((?:passw(?:or)?d|passwd|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|auth[_-]?key)[\w.-]{0,24}["'\]]{0,2}\s{0,4}(?:=>|[:=]{1,2})\s{0,4}["'`])([^"'`\s]{6,1000})/gi;
const REFERENCE = /^[$<{%]|\$\{|process\.env|^[A-Za-z_.]{1,60}$/;
const RANDOM = /(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{32,4000}={0,2}/g;

function isRandom(token: string): boolean {
  if (/^[0-9a-f-]+$/i.test(token)) return false;
  return /\d/.test(token) && /[a-z]/.test(token) && /[A-Z]/.test(token) && !/^sha\d{3}-/.test(token) && (token.match(/[/_-]/g) ?? []).length < token.length / 8;
}
