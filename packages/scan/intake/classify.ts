import { isUtf8 } from "node:buffer";
import type { Language } from "../analyser.ts";
import { type ArchiveKind, archiveKind } from "./archives/kind.ts";
import type { Encoding } from "./artifact.ts";

/** What a file is, by its name, its first line and its first bytes. */
export interface Kind {
  readonly language: Language;
  readonly encoding: Encoding;
  readonly archive: ArchiveKind | null;
}

/** How many bytes tell a text from a binary file. */
const HEAD = 8192;

/**
 * A name that says "code" wins over bytes that say "binary": interpreters read past a NUL in a comment, so one NUL must not hide a script. Without such a
 * name a `#!` line counts, then the bytes.
 */
export function classify(path: string, bytes: Uint8Array): Kind {
  const byName = languageOfName(path);
  const named = byName ?? languageOfInterpreter(bytes);
  const encoding = encodingOf(bytes, named !== null && named !== "text");
  const archive = archiveKind(path, bytes);
  if (encoding === "binary") return { language: "binary", encoding, archive };
  return { language: named ?? "text", encoding, archive };
}

const EXTENSIONS: Readonly<Record<Exclude<Language, "binary">, string>> = {
  javascript: "js mjs cjs jsx es6",
  typescript: "ts mts cts tsx",
  python: "py pyi pyw pyx",
  shell: "sh bash zsh ksh ash dash fish command bats",
  markdown: "md markdown mdx mdown mkd mdc",
  html: "html htm xhtml vue svelte",
  json: "json jsonc json5 webmanifest ipynb sarif har cdx spdx",
  yaml: "yaml yml",
  toml: "toml",
  xml: "xml svg xsd xsl xslt plist pom csproj",
  sql: "sql",
  dockerfile: "dockerfile",
  text: "txt text rst log csv tsv ini cfg conf env properties lock in pem key crt pub",
};
const BY_EXTENSION = new Map(Object.entries(EXTENSIONS).flatMap(([language, list]) => list.split(" ").map((one) => [one, language as Language] as const)));
const BY_NAME = new Map<string, Language>([
  ...["dockerfile", "containerfile"].map((name) => [name, "dockerfile"] as const),
  ...["pipfile", "poetry.lock", "uv.lock", "cargo.lock", "pdm.lock"].map((name) => [name, "toml"] as const),
  ...[".bashrc", ".bash_profile", ".zshrc", ".profile", ".envrc", "pkgbuild", "configure", "gradlew"].map((name) => [name, "shell"] as const),
  ...[".babelrc", ".eslintrc", ".prettierrc", "composer.lock", "pipfile.lock", "flake.lock", "bun.lock"].map((name) => [name, "json"] as const),
]);

function languageOfName(path: string): Language | null {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  const known = BY_NAME.get(name);
  if (known) return known;
  if (/^(dockerfile|containerfile)\./.test(name)) return "dockerfile";
  const dot = name.lastIndexOf(".");
  return dot < 0 ? null : (BY_EXTENSION.get(name.slice(dot + 1)) ?? null);
}

const INTERPRETERS: readonly [RegExp, Language][] = [
  [/\b(node|nodejs|deno|bun)\b/, "javascript"],
  [/\b(ts-node|tsx)\b/, "typescript"],
  [/\b(python|pypy|uv)[\d.]*\b/, "python"],
  [/\b(ba|z|k|da|a)?sh\b/, "shell"],
];

function languageOfInterpreter(bytes: Uint8Array): Language | null {
  if (bytes[0] !== 0x23 || bytes[1] !== 0x21) return null;
  const first = Buffer.from(bytes.subarray(2, 256)).toString("latin1").split("\n", 1)[0] as string;
  return INTERPRETERS.find(([pattern]) => pattern.test(first))?.[1] ?? "text";
}

function encodingOf(bytes: Uint8Array, code: boolean): Encoding {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf16be";
  const head = bytes.subarray(0, HEAD);
  const unmarked = unmarkedUtf16(head);
  if (unmarked !== null && (code || isMostlyText(head))) return unmarked;
  if (!code && (hasMagic(head) || head.includes(0) || !isMostlyText(head))) return "binary";
  if (isUtf8(bytes)) return "utf8";
  return code || hasFewControls(head, 0.005) ? "latin1" : "binary";
}

/** PowerShell and Windows editors write it without a mark: every second byte of Latin text is NUL. */
function unmarkedUtf16(head: Uint8Array): "utf16le" | "utf16be" | null {
  if (head.length < 8) return null;
  const nuls = [0, 0];
  for (let at = 0; at < head.length; at++) if (head[at] === 0) nuls[at & 1] = (nuls[at & 1] as number) + 1;
  const half = head.length / 2;
  if ((nuls[1] as number) > half * 0.7 && (nuls[0] as number) < half * 0.05) return "utf16le";
  if ((nuls[0] as number) > half * 0.7 && (nuls[1] as number) < half * 0.05) return "utf16be";
  return null;
}

const MAGIC = [
  "\x7fELF",
  "\x89PNG",
  "GIF8",
  "\xff\xd8\xff",
  "PK\x03\x04",
  "\x1f\x8b",
  "%PDF-",
  "\0asm",
  "OggS",
  "RIFF",
  "wOFF",
  "wOF2",
  "BZh",
  "\xfd7zXZ",
  "\x28\xb5\x2f\xfd",
];

function hasMagic(head: Uint8Array): boolean {
  const start = Buffer.from(head.subarray(0, 8)).toString("latin1");
  return MAGIC.some((magic) => start.startsWith(magic));
}

/** Control characters are rare in text of any 8-bit encoding. UTF-16 without its NULs counts as text, too. */
function isMostlyText(head: Uint8Array): boolean {
  return hasFewControls(head, 0.05);
}

function hasFewControls(head: Uint8Array, share: number): boolean {
  let strange = 0;
  for (const byte of head) if (byte < 32 && byte !== 0 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27) strange++;
  return strange <= head.length * share;
}

/** The text of a file, or null where it is binary. Never throws: what is no text becomes U+FFFD. */
export function decode(bytes: Uint8Array, encoding: Encoding): string | null {
  switch (encoding) {
    case "binary":
      return null;
    case "utf8":
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
    case "latin1":
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    case "utf16le":
    case "utf16be":
      return new TextDecoder(encoding === "utf16le" ? "utf-16le" : "utf-16be").decode(bytes);
  }
}
