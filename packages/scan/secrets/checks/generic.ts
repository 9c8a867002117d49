import { entropyOf } from "../entropy.ts";
import { isMinified, placeKind } from "../place-kind.ts";
import { isPlaceholder } from "../placeholder.ts";
import type { Candidate, Check } from "./check.ts";
import { isWords } from "./words.ts";

/** Names in which `token`, `secret`, `key` or `password` is about something else than its value. */
const ABOUT =
  /(name|names|type|kind|url|uri|path|file|filename|dir|header|field|prefix|suffix|length|size|regexp?|pattern|format|label|title|text|message|error|hint|placeholder|expir\w*|ttl|timeout|count|limit|index|hash|digest|algorithm|alg|version|class|style|icon|selector|element|input|form|env|var|variable|param|parameter|attribute|attr|column|property|prop|event|action|method|status|state|mode|policy|rule|rules|validator|validation|strength|reset|change|forgot|required|enabled|disabled|ref|arn|id|ids|endpoint|scope|scopes|provider|manager|store|service|helper|factory|handler|list|map|set|table|schema|model|view|template|test|tests|doc|docs|description|desc|help|example|default|option|options|constant|symbol|char|chars|chars|position|pos|start|end|offset|line|separator|delimiter|encoding|bits|bytes|data|fingerprint|thumbprint|signature|sig|checksum|source|target|uuid|guid|salt|nonce|public|pub|pk|address|addr|contract|mint|unsubscribe|feature|verifier|challenge|state|hint|csrf|xsrf|integrity|cache|etag|content|keyword|keywords|commit|revision|sha|md5|sha1|sha256)$/i;
const ABOUT_ANYWHERE =
  /token(iz|s\b|_?(type|kind|list|stream|set|regex|pattern|id))|public|csrf|xsrf|pagination|continuation|next_?(page_?)?token|page_?token|cursor|sync_?token|cancel|keyword|typekey|unicode|cache_?key|foreign|primary|i18n|analytics|gtm|site_?key|sitekey|publishable|measurement|integrity|signature|checksum|fingerprint|webpack|__|annotation|syntax|lexer|parser|grammar|semantic|grant|design|etag|origin_trial|trial/i;

/** `api_key = "…"`: only what is long, random and no reference, with a name that is about the value itself. */
export const assignedSecret: Check = (candidate) => {
  const { secret, name, path, text, start } = candidate;
  const kind = placeKind(path);
  if (kind === "made" || kind === "words" || isMinified(text, start) || isAbout(name) || !isLiteral(candidate, kind)) return "no";
  if (!/^[A-Za-z0-9+/=_.~!@#$%^&*:-]{16,256}$/.test(secret) || isReference(secret) || isPlaceholder(secret)) return "no";
  if (!/\d/.test(secret) || !/[A-Za-z]/.test(secret) || isWords(secret)) return "no";
  const hex = /^[0-9a-f]+$/i.test(secret);
  if (hex && secret.length < 32) return "no";
  const entropy = entropyOf(secret);
  if (entropy < (hex ? 3 : secret.length < 24 ? 3.4 : 3.7)) return "no";
  if (candidate.operator === "==" || candidate.operator === "(" || candidate.operator === ",") {
    if (secret.length < 24 || hex) return "no";
  }
  const strong = secret.length >= 32 && /secret|private|api.?key|access.?key|auth/i.test(name);
  if (kind === "test" || kind === "docs") return { severity: "info", confidence: "low" };
  return strong ? { confidence: "medium" } : { severity: "medium", confidence: "medium" };
};

/** `password = "…"`: a word alone is none, as forms and their labels are full of them. */
export const assignedPassword: Check = (candidate) => {
  const { secret, name, path, text, start, operator } = candidate;
  const kind = placeKind(path);
  if (kind !== "plain" && kind !== "config") return "no";
  if (isMinified(text, start) || isAbout(name) || !isLiteral(candidate, kind) || operator === "," || operator === "(") return "no";
  if (!/^[\x21-\x7e]{8,128}$/.test(secret) || /[<>{}()[\]|\\]/.test(secret) || isReference(secret) || isPlaceholder(secret)) return "no";
  if (isWords(secret) || /^\d+$/.test(secret) || !/[A-Za-z]/.test(secret)) return "no";
  const classes = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((each) => each.test(secret)).length;
  if (classes < 2 || (classes === 2 && !/\d/.test(secret)) || entropyOf(secret) < 2.75) return "no";
  return classes >= 3 ? {} : { confidence: "low" };
};

/** `scheme://user:password@host`: the machine that it is for says how grave it is. */
export const connectionPassword: Check = ({ secret, text, end, path, start }) => {
  const kind = placeKind(path);
  if (kind === "words" || isReference(secret) || isPlaceholder(decoded(secret)) || secret.length < 3) return "no";
  const host = /^@\[?([A-Za-z0-9_.:-]{1,253})/.exec(text.slice(end, end + 260))?.[1]?.toLowerCase() ?? "";
  if (
    host === "" ||
    /(^|\.)(example|test|invalid|host|hostname|server|domain|yourdomain|mydomain|foo|bar|baz|acme|site|website|somewhere|company|mycompany)(\.(com|org|net))?(:|$)|example\.|your|\.\.\.|^host/.test(
      host,
    )
  )
    return "no";
  const user = /\/\/([^:/@\s]{0,128}):$/.exec(text.slice(Math.max(0, start - 140), start))?.[1] ?? "";
  const guessed = secret.toLowerCase() === user.toLowerCase() || WEAK.test(secret) || isWords(secret);
  const near = /^(localhost|127\.|0\.0\.0\.0|::1|host\.docker|\[)/.test(host) || !host.includes(".");
  if (guessed && (near || kind === "test" || kind === "docs")) return "no";
  if (kind === "test" || kind === "docs" || kind === "made") return { severity: "info", confidence: "low" };
  return near || guessed ? { severity: "low", confidence: guessed ? "low" : "medium" } : {};
};

/** `Server=…;Password=…;` */
export const connectionString: Check = ({ secret, text, start, path }) => {
  const kind = placeKind(path);
  if (kind !== "plain" && kind !== "config") return "no";
  if (isPlaceholder(secret) || isReference(secret) || WEAK.test(secret) || isWords(secret)) return "no";
  const near = /(server|data source|host)\s{0,2}=\s{0,2}(tcp:)?(localhost|127\.|\.[\\;]|\(local)/i.test(text.slice(Math.max(0, start - 300), start + 300));
  return near ? { severity: "low" } : {};
};

/** Not words that somebody wrote. */
export const randomText: Check = ({ secret }) => (isWords(secret) || isReference(secret) ? "no" : {});

const WEAK =
  /^(pass|passwd|password|pwd|secret|admin|root|user|test|guest|postgres|mysql|redis|mongo|rabbitmq|token|key|pw|foo|bar|baz|abc|p|x|u|pass.?word|\d{1,8})$/i;

function isAbout(name: string): boolean {
  if (FILE.test(name)) return true;
  const own = name.split(/[.]/).at(-1)!;
  const last = own.split(/[_-]|(?<=[a-z0-9])(?=[A-Z])/).at(-1) ?? "";
  return ABOUT.test(last) || ABOUT_ANYWHERE.test(name);
}

const FILE = /\.(c|m)?[jt]sx?$|\.(py|rb|go|rs|json|ya?ml|md|html?|css|txt|pem|key|sh|xml|php|java)$/i;

/** A quoted text, or a bare word where files have no quotes. A bare word of a program is a variable. */
function isLiteral({ quote, path, operator, text, start }: Candidate, kind: string): boolean {
  if (quote !== "") return !(quote === "`" && text.slice(start, start + 200).includes("${"));
  if (operator === "flag") return true;
  return operator !== "(" && operator !== "," && (kind === "config" || /\.(env|json)$/i.test(path)) && operator !== "==";
}

/** A path, an address, a member of something, a call, a constant: where the secret comes from, not what it is. */
function isReference(secret: string): boolean {
  return ADDRESS.test(secret) || MEMBER.test(secret) || FORMAT.test(secret) || /^[A-Z_]+$|^__/.test(secret);
}
const ADDRESS = /^(https?|wss?|file|data|urn|mailto|s3|gs|npm|git):|^[./~]|^--|\.(js|ts|py|json|ya?ml|html?|css|png|pem|key|crt|txt|com|org|net|io)$/i;
const MEMBER = /^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)+(\(|$)/;
const FORMAT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$|^sha\d{1,3}-|^\d{4}-\d\d-\d\d|^v?\d+\.\d+\.\d+|^#[0-9a-f]{3,8}$/i;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
