import type { Swap } from "./swap.ts";

/** Shorter ones would be found everywhere in answers, and could be guessed. */
export const MIN_SECRET = 8;

/**
 * All forms in which a server is likely to send a secret back, with what the sandbox gets instead: as it is, as JSON, HTML and URLs
 * write it, as hexadecimal, in UTF-16, and inside of base64 at each of its three offsets. A server that is out to smuggle it through
 * can think of others: it has the secret, and is whom the tenant has given it to.
 */
export function shownForms(secret: string, substitute: string): Swap[] {
  const texts = new Set([secret, ...jsonForms(secret), ...htmlForms(secret), ...urlForms(secret)]);
  const put = Buffer.from(substitute);
  const swaps: Swap[] = [...texts].map((text) => ({ find: Buffer.from(text), put }));
  for (const order of [littleEndian, bigEndian]) swaps.push({ find: order(secret), put: order(substitute) });
  const hex = Buffer.from(secret).toString("hex");
  for (const find of new Set([hex, hex.toUpperCase()])) swaps.push(filled(find));
  return [...swaps, ...base64Forms(secret).map(filled)];
}

const jsonForms = (text: string) => {
  const plain = inJson(text);
  return [plain, plain.replaceAll("/", "\\/"), plain.replace(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)];
};
const urlForms = (text: string) => {
  const upper = encodeURIComponent(text);
  const lower = upper.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  return [upper, lower, encodeURI(text), upper.replaceAll("%20", "+")];
};
const htmlForms = (text: string) => {
  const common = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const quoted = common.replaceAll('"', "&quot;");
  return [common, quoted, quoted.replaceAll("'", "&#39;"), quoted.replaceAll("'", "&#x27;"), common.replaceAll('"', "&#34;").replaceAll("'", "&#39;")];
};

/** Whatever stands before the secret, some of its bytes begin a group of three, and those always look the same. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const whole = [0, 1, 2].map((skip) => bytes.subarray(skip, skip + Math.floor((bytes.length - skip) / 3) * 3));
  return [...new Set(whole.flatMap((part) => [part.toString("base64"), part.toString("base64url")]))];
}

/** What is decoded must stay decodable, and as long: `xxx` in base64, and good hexadecimal digits too where it is those. */
function filled(find: string): Swap {
  const filler = /^[0-9a-fA-F]+$/.test(find) ? "78" : "eHh4";
  return { find: Buffer.from(find), put: Buffer.from(filler.repeat(Math.ceil(find.length / filler.length)).slice(0, find.length)) };
}

const littleEndian = (text: string) => Buffer.from(text, "utf16le");
const bigEndian = (text: string) => Buffer.from(text, "utf16le").swap16();

/** As it stands inside of a JSON string. */
export function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
