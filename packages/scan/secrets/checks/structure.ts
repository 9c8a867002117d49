import { isPlaceholder } from "../placeholder.ts";
import { base64Bytes, type Check, KEEP, latin1, PROVED } from "./check.ts";

/** Small and capital letters and digits, as chance gives them: a word of a program is not that. */
export const mixed: Check = ({ secret }) => (/[a-z]/.test(secret) && /[A-Z]/.test(secret) && /\d/.test(secret) ? KEEP : "no");

export const hasDigit: Check = ({ secret }) => (/\d/.test(secret) && /[A-Za-z]/.test(secret) ? KEEP : "no");

/** A hash of something, or a UUID, is not what this provider gives out. */
export const notHex: Check = ({ secret }) => (/^[0-9a-f-]{1,128}$/i.test(secret) ? "no" : KEEP);

/** `base64(number of the bot).time.signature` */
export const discordBot: Check = ({ secret }) => {
  const bytes = base64Bytes(secret.split(".")[0] ?? "");
  return bytes !== null && /^\d{17,20}$/.test(latin1(bytes)) ? PROVED : "no";
};

/** `base64(user:password)`, as docker's configuration and npm's `_auth` have it. */
export const dockerAuth: Check = ({ secret }) => {
  const bytes = base64Bytes(secret);
  const found = bytes === null ? null : /^([\x21-\x39\x3b-\x7e]{1,128}):([\x21-\x7e]{4,2000})$/.exec(latin1(bytes));
  return found === null || isPlaceholder(found[2]!) ? "no" : KEEP;
};

export const basicAuth: Check = (candidate) => {
  if (dockerAuth(candidate) === "no") return "no";
  const [user = "", password = ""] = latin1(base64Bytes(candidate.secret)!).split(/:(.*)/s);
  return /^(user|username|aladdin|foo|test|admin|me|bob|alice|fred|mufasa)$/i.test(user) || password.length < 6 ? { severity: "low", confidence: "low" } : KEEP;
};

/** What is base64 of a JSON object. */
export const jsonToken: Check = ({ secret }) => {
  const start = secret.search(/eyJ/);
  const bytes = start === -1 ? null : base64Bytes(secret.slice(start, start + 60).split(/[.=]/)[0]!);
  return bytes !== null && /^\{"[\w-]{1,40}"\s{0,4}:/.test(latin1(bytes)) ? PROVED : "no";
};

/** Base64 of random bytes, not of text: a key. */
export const decodesToBytes: Check = ({ secret }) => {
  const bytes = base64Bytes(secret);
  if (bytes === null || bytes.length < 16) return "no";
  const text = bytes.filter((byte) => byte >= 32 && byte < 127).length;
  return text === bytes.length || new Set(bytes).size < bytes.length / 3 ? "no" : KEEP;
};

/** Base64 of a whole PEM file, as kubeconfig has keys. */
export const base64Pem: Check = ({ secret }) => {
  const bytes = base64Bytes(secret);
  return bytes !== null && /^-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----/.test(latin1(bytes.subarray(0, 60))) ? PROVED : "no";
};

/** Base 32 with the number of the account in it; AWS's own documents end theirs in EXAMPLE. */
export const awsKeyId: Check = ({ secret }) => (/^[A-Z0-9]{4}[A-Z2-7]{16}$/.test(secret) && !/EXAMPLE|(.)\1{4}/.test(secret) ? KEEP : "no");

/** 40 characters of base64: not a hash in hexadecimal, not a path. */
export const awsSecret: Check = ({ secret }) =>
  /^[0-9a-f]{40}$/i.test(secret) ||
  !/[a-z]/.test(secret) ||
  !/[A-Z]/.test(secret) ||
  !/\d/.test(secret) ||
  /EXAMPLE/i.test(secret) ||
  (secret.match(/\//g) ?? []).length > 4
    ? "no"
    : KEEP;

/** A hashed password: to be guessed at leisure, and fast where the hash is old. */
export const cryptHash: Check = ({ secret, quote, path }) => {
  if (isPlaceholder(secret.split("$").at(-1)!)) return "no";
  const kept = /(^|\/)(\.?htpasswd|shadow|passwd|users?)[^/]{0,20}$/i.test(path);
  return kept ? KEEP : { severity: "low", confidence: quote === "" ? "medium" : "low" };
};

/** Keys that web pages carry by design: public in whatever the browser gets, worth restricting all the same. */
export const clientBundle: Check = ({ path, text, start }) => {
  const around = text.slice(Math.max(0, start - 300), start + 300);
  const web =
    /google-services\.json$|GoogleService-Info\.plist$|firebase|\.html?$/i.test(path) ||
    /firebase|authDomain|maps\.google|maps\/api|storageBucket|youtube/i.test(around) ||
    // What these answer is public, and what their keys count is only how often it was asked for.
    /chromeuxreport\.googleapis|pagespeedonline/i.test(around) ||
    /\bkey (is|being) (public|no secret|not (a )?secret)\b/i.test(around);
  return web ? { severity: "low", confidence: "medium", note: "It seems to be one that browsers get: restrict it to your sites and APIs." } : KEEP;
};
