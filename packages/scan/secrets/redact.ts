import { createHash } from "node:crypto";
import { isWords } from "./checks/words.ts";
import { shownUrl, URLS } from "./redact-url.ts";
import type { Detector } from "./rule.ts";

/** What may be shown of a secret: enough for its owner to know which one it is, of no use to anybody else. */
export function redacted(secret: string, show: Detector["show"]): string {
  if (show === "nothing" || secret.length < 16) return HIDDEN;
  if (secret.startsWith("PuTTY")) return `PuTTY-User-Key-File${HIDDEN}`;
  if (secret.startsWith("-----BEGIN")) return `${/^-----[A-Z0-9 ]{1,60}-----/.exec(secret)?.[0] ?? "-----BEGIN"}${HIDDEN}`;
  const shown = secret.length >= 28 ? 4 : 2;
  return printable(`${secret.slice(0, shown)}${HIDDEN}${secret.length >= 28 ? secret.slice(-2) : ""}`);
}
const HIDDEN = "\u2026";
const printable = (text: string): string => text.replace(/[^\x20-\x7e\u2026]/g, "?");

/** Equal secrets have equal digests, wherever and however they are written. */
export const digestOf = (detector: string, secret: string): string => createHash("sha256").update(`${detector}\0${secret}`).digest("hex").slice(0, 32);

/**
 * Hides in any text what looks like a secret, for snippets and messages of others: it knows no detectors and hides rather too much than too little
 * (a hash, too, where it stands alone). The work grows as the text does, and lines stay lines.
 */
export function redactSecrets(text: string): string {
  let clear = text.replace(KEY_BLOCK, (_, header: string) => `${header}${HIDDEN}`);
  clear = clear.replace(URL_PASSWORD, (_, before: string) => `${before}${HIDDEN}@`);
  clear = clear.replace(HEADER, (_, before: string) => `${before}${HIDDEN}`);
  clear = clear.replace(QUOTED, (whole, before: string, value: string) => (REFERENCE.test(value) ? whole : `${before}${HIDDEN}`));
  clear = clear.replace(BARE, (whole, before: string, value: string) => (REFERENCE.test(value) ? whole : `${before}${HIDDEN}`));
  clear = clear.replace(LOGIN, (_, before: string) => `${before}${HIDDEN}`);
  clear = clear.replace(CRYPT, HIDDEN).replace(TELEGRAM, HIDDEN);
  const parts: string[] = [];
  let at = 0;
  for (const url of clear.matchAll(URLS)) {
    const [whole, scheme, user = "", host, rest] = url as unknown as [string, string, string | undefined, string, string];
    parts.push(withoutRuns(clear.slice(at, url.index)), shownUrl(scheme, user, host, rest, withoutRuns, isRandom));
    at = url.index + whole.length;
  }
  return [...parts, withoutRuns(clear.slice(at))].join("");
}

const withoutRuns = (text: string): string => text.replace(RUN, (run) => (isRandom(run) ? redacted(run, "ends") : run));

const KEY_BLOCK = /(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)(?:(?!-----)[\s\S]){1,24000}(?:-----END [A-Z0-9 ]{0,40}-----)?/g;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'<>]{0,128}:)[^\s@"'<>/]{1,256}@/gi;
const HEADER = /(\b(?:authorization|cookie|x-api-key)["']?\s{0,4}[:=]\s{0,4}["']?(?:(?:bearer|basic|token|digest)\s{1,4})?)[^\s"'`,;]{6,2000}/gi;
const NAME = "(?:passw(?:or)?d|pwd|passphrase|secret|token|api[ _.-]?key|access[ _.-]?key|private[ _.-]?key|credential|auth[ _.-]?key|salt|_key|_pat|signing)";
const QUOTED = new RegExp(`(${NAME}[\\w.-]{0,24}\\\\?["'\\]]{0,2}[\\s,(]{0,4}(?:=>|[:=]{1,2}|value=)?\\s{0,4}\\\\?["'\`])([^"'\`\\n]{6,1000})`, "gi");
const BARE = new RegExp(`(${NAME}[\\w.-]{0,24}\\s{0,4}[:=>]{1,2}\\s{0,4})([^\\s"'\`;<>,&)]{6,1000})`, "gi");
const LOGIN = /(\b(?:password|passwd)\s{1,4}|:\d{2,5}:[\w*-]{1,63}:[\w*-]{1,63}:)[^\s"']{6,400}/gi;
const CRYPT = /\$(?:apr1|2[aby]|[156y]|argon2id)\$[A-Za-z0-9./$=,+-]{20,200}|\{SHA\}[A-Za-z0-9+/]{27}=/g;
const TELEGRAM = /\d{8,10}:AA[\w-]{33}/g;
const REFERENCE = /^[$<{%]|\$\{|process\.env|environ|^[A-Za-z_.]{1,60}[,;)]?$/;
const RUN = /[A-Za-z0-9+/_~.!%$-]{12,4000}={0,2}/g;

/** Letters and digits as chance mixes them. What chance does not: words, dates, versions, and hashes that say they are. */
function isRandom(run: string): boolean {
  if (/^sha\d{1,3}-|^[\d.,:T+-]{1,40}Z?$/.test(run)) return false;
  if (/[0-9a-f]{20}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-|^[a-z_]{0,12}(?=[A-Za-z]{28})(?=[a-z]{0,12}[A-Z])/i.test(run) && /\d|[A-Z]/.test(run))
    return !isWords(run.replace(/\d/g, "")) || /\d/.test(run);
  return /\d/.test(run) && /[A-Za-z]/.test(run) && !isWords(run) && (run.match(/\d/g)!.length > 2 || /[a-z][A-Z]|[A-Z]{2}[a-z]/.test(run));
}
