import { base64Bytes, type Check, KEEP, PROVED } from "./check.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xed_b8_83_20 : value >>> 1;
  return value;
});

/** CRC-32 of ISO 3309, of ASCII text. */
export function crc32(text: string): number {
  let sum = 0xff_ff_ff_ff;
  for (let at = 0; at < text.length; at += 1) sum = (sum >>> 8) ^ CRC[(sum ^ text.charCodeAt(at)) & 255]!;
  return (sum ^ 0xff_ff_ff_ff) >>> 0;
}

/** A number in base 62, digits first, then capitals, with leading zeros to six. */
export function base62(number: number): string {
  let rest = number;
  let text = "";
  do {
    text = ALPHABET[rest % 62]! + text;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text.padStart(6, "0");
}

/**
 * GitHub's tokens, and npm's: a prefix, 30 random characters, and six that are the CRC-32 of those in base 62.
 * https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
 */
export const crc62: Check = ({ secret }) => {
  const body = secret.slice(secret.indexOf("_") + 1);
  if (body.length !== 36) return KEEP;
  return base62(crc32(body.slice(0, 30))) === body.slice(30) ? PROVED : "no";
};

/**
 * GitLab's routable tokens: base64 of lines like `o:1`, random bytes and their number; then two characters of that text's length and seven of a
 * CRC-32, both in base 36. https://handbook.gitlab.com/handbook/engineering/architecture/design-documents/cells/routable_tokens/
 */
export const gitlabRoutable: Check = ({ secret }) => {
  const parts = secret.split(".");
  if (parts.length < 3) return KEEP;
  const crc = Number.parseInt(parts.at(-1)!.slice(-7), 36);
  const payload = secret.slice(0, -7);
  return crc === crc32(payload) ? PROVED : { confidence: "medium" };
};

/** A macaroon (version 2): its first field is where it is good for. What the package index of Python gives out is one. */
export const macaroon: Check = ({ secret }) => {
  const bytes = base64Bytes(secret.slice(secret.indexOf("-") + 1));
  return bytes !== null && bytes.length > 60 && bytes[0] === 2 && bytes[1] === 1 ? PROVED : "no";
};
