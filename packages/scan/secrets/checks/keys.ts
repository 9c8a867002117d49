import { base64Bytes, type Candidate, type Check, type Judgement, latin1 } from "./check.ts";

const MOST = 16_000;
/** How a body begins, behind whatever breaks a line in a program: headers, or base64. */
const BEGINNING = /^[\s\\nr"'`+,|>*#/;]{0,60}(?:[A-Za-z-]{3,40}: |[A-Za-z0-9+/=]{16})/;

/**
 * A private key between its lines of dashes, as it stands or inside a string of a program or of JSON. The header alone is no key, nor is one whose
 * body is no base64 or no structure of that kind; one under a password is worth less.
 */
export const pem: Check = (candidate) => {
  const body = bodyOf(candidate);
  if (body === null) return "no";
  const clear = body.text.replace(/^(?:[A-Za-z-]{1,40}: ?[^\n]{0,200}\n){1,12}/, "");
  const letters = clear
    .replace(/["'`]\s{0,40}\+\s{0,40}["'`]/g, "")
    .replace(/[\s"'`,;\\<>|*]/g, "")
    .replace(/=[A-Za-z0-9+/]{4}$/, "=");
  if (letters.length < 40 || /\.\.\.|\u2026/.test(clear)) return "no";
  const bytes = base64Bytes(letters.replace(/=+$/, ""));
  if (bytes === null) return "no";
  const encrypted = /ENCRYPTED/.test(candidate.secret) || /Proc-Type: ?4,ENCRYPTED/.test(body.text);
  const graded = gradeKey(candidate.secret, bytes, encrypted, body.whole);
  return graded === "no" ? "no" : { ...graded, end: body.end };
};

function bodyOf({ text, end, secret }: Candidate): { text: string; end: number; whole: boolean } | null {
  if (!BEGINNING.test(text.slice(end, end + 120))) return null;
  const after = text.slice(end, end + MOST);
  const closing = after.indexOf(`-----END ${/BEGIN ([A-Z0-9 ]{1,40})-/.exec(secret)?.[1] ?? ""}`);
  // A base64 body ends where something else begins: a file that was cut off still has most of the key.
  const raw = closing === -1 ? (/^[\sA-Za-z0-9+/=\\"',]{0,16000}/.exec(after)?.[0] ?? "") : after.slice(0, closing);
  const whole = closing !== -1;
  const dashes = whole ? after.indexOf("-----", closing + 9) : -1;
  const last = whole ? (dashes === -1 ? closing + 9 : dashes + 5) : raw.length;
  const unescaped = raw.replace(/\\r/g, "").replace(/\\+n/g, "\n").replace(/\\\//g, "/");
  return { text: unescaped.replace(/^[\s"'`+,]{1,40}/, ""), end: end + last, whole };
}

function gradeKey(header: string, bytes: Uint8Array, encrypted: boolean, whole: boolean): Judgement {
  if (bytes.length < 30 || isFilled(bytes)) return "no";
  const locked: Judgement = { genuine: true, severity: "low", confidence: "medium", note: "It is locked with a passphrase: as good as that passphrase is." };
  if (header.includes("OPENSSH")) {
    if (!latin1(bytes.subarray(0, 15)).startsWith("openssh-key-v1")) return "no";
    const cipher = latin1(bytes.subarray(19, 23));
    return cipher === "none" ? { proved: true } : locked;
  }
  if (header.includes("PGP")) return (bytes[0]! & 0x80) !== 0 ? { genuine: true } : "no";
  if (encrypted) return locked;
  // DER: a SEQUENCE whose length is that of the rest.
  if (bytes[0] !== 0x30) return "no";
  const length = bytes[1]! < 0x80 ? bytes[1]! + 2 : bytes[1] === 0x81 ? bytes[2]! + 3 : bytes[1] === 0x82 ? bytes[2]! * 256 + bytes[3]! + 4 : 0;
  if (length === 0) return "no";
  if (!whole) return bytes.length * 2 >= length ? { genuine: true, confidence: "medium", note: "It is cut off." } : "no";
  return Math.abs(length - bytes.length) <= 2 ? { proved: true } : { genuine: true, confidence: "low", severity: "medium", note: "Its structure is damaged." };
}

/** The same few bytes again and again: somebody's placeholder. */
const isFilled = (bytes: Uint8Array): boolean => new Set(bytes.subarray(0, 200)).size < 12;

/** PuTTY's own format: whether it is locked stands in it. */
export const putty: Check = ({ text, end }) => {
  const rest = text.slice(end, end + 8000);
  const found = /Private-Lines: (\d{1,3})\r?\n(?:[A-Za-z0-9+/=]{1,64}\r?\n?){1,200}(?:Private-(?:MAC|Hash): [0-9a-f]{40,64})?/.exec(rest);
  if (found === null) return "no";
  const whole = { end: end + found.index + found[0].length };
  if (/Encryption: none/.test(rest)) return { proved: true, ...whole };
  return { genuine: true, severity: "low", confidence: "medium", note: "It is locked with a passphrase.", ...whole };
};
