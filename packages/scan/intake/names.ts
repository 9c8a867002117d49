import { isUtf8 } from "node:buffer";

/**
 * A name from a disk or an archive as text. Bytes that are no UTF-8 become `\xff`: no two names become one, which U+FFFD would do.
 */
export function nameOf(raw: Uint8Array): string {
  if (isUtf8(raw)) return Buffer.from(raw).toString("utf8");
  let name = "";
  const text = Buffer.from(raw);
  for (let at = 0; at < text.length; ) {
    const length = [1, 2, 3, 4].find((length) => at + length <= text.length && isUtf8(text.subarray(at, at + length)));
    if (length === undefined) name += `\\x${(text[at] as number).toString(16).padStart(2, "0")}`;
    else name += text.toString("utf8", at, at + length);
    at += length ?? 1;
  }
  return name;
}

/** What a reader should know of a name that is kept nevertheless. */
export function nameTrouble(path: string): string | null {
  if (/[\x00-\x1f\x7f]/.test(path)) return "the name holds control characters: a terminal would obey them";
  if (/\\x[0-9a-f]{2}/.test(path)) return "the name is no UTF-8";
  if (/[\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f]/.test(path)) return "the name holds characters that nobody sees, or that turn its direction";
  return null;
}

/** `trouble`: what the name would have done. */
export interface MemberName {
  readonly path: string;
  readonly trouble: string | null;
}

const LONGEST_NAME = 4096;

/**
 * The path of an archive's member below the archive's root. Attacker-controlled: what would leave the root is given a name inside of it, so that it is looked
 * at, and told.
 */
export function memberName(raw: Uint8Array): MemberName {
  const name = nameOf(raw.subarray(0, LONGEST_NAME));
  const slashes = name.replace(/\\(?!x[0-9a-f]{2})/g, "/").replaceAll("\0", "\\x00");
  const parts = slashes.split("/").filter((part) => part !== "" && part !== ".");
  const trouble =
    raw.length > LONGEST_NAME
      ? "its name is longer than 4096 bytes"
      : name.includes("\0")
        ? "its name holds a NUL"
        : /^\/|^[A-Za-z]:\//.test(slashes)
          ? "its name is absolute"
          : parts.includes("..")
            ? "its name leads out of the archive"
            : null;
  return { path: parts.map((part) => (part === ".." ? "%2e%2e" : part)).join("/"), trouble };
}
