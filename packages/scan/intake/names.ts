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

export type MemberName = { readonly ok: true; readonly path: string } | { readonly ok: false; readonly why: string };

/** The path of an archive's member below the archive's root. Attacker-controlled: what would leave the root is refused, not repaired. */
export function memberName(name: string): MemberName {
  if (name.includes("\0")) return { ok: false, why: "its name holds a NUL" };
  const slashes = name.replaceAll("\\", "/");
  if (slashes.startsWith("/") || /^[A-Za-z]:/.test(slashes)) return { ok: false, why: "its name is absolute" };
  const parts = slashes.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) return { ok: false, why: "its name leads out of the archive" };
  if (parts.length === 0) return { ok: false, why: "it has no name" };
  if (slashes.length > 4096) return { ok: false, why: "its name is longer than 4096 characters" };
  return { ok: true, path: parts.join("/") };
}
