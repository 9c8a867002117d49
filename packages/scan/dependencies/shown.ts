import { PackageURL } from "packageurl-js";
import { ecosystemOf } from "./versions/ecosystems.ts";

/** Text of the artifact as it may stand in a message: no control characters, nothing invisible, not endless. */
export function shown(text: string, longest = 120): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, "\uFFFD");
  return clean.length > longest ? `${clean.slice(0, longest - 1)}…` : clean;
}

/** Whether a name or a version may stand in a command that a person copies into a shell. */
export function isPlain(word: string): boolean {
  return /^[@A-Za-z0-9][\w@./+!:-]{0,200}$/.test(word) && !word.includes("..");
}

/** https://github.com/package-url/purl-spec; a generic one where the ecosystem has no type. */
export function purlOf(ecosystem: string, name: string, version: string): string {
  const type = ecosystemOf(ecosystem)?.purl ?? "generic";
  const separator = type === "maven" ? ":" : "/";
  const cut = type === "pypi" || type === "cargo" || type === "gem" ? -1 : name.lastIndexOf(separator);
  const namespace = cut < 0 ? undefined : name.slice(0, cut);
  const bare = cut < 0 ? name : name.slice(cut + 1);
  try {
    return new PackageURL(type, namespace || undefined, bare, version || undefined, undefined, undefined).toString();
  } catch {
    return `pkg:generic/${encodeURIComponent(name.slice(0, 200))}${version === "" ? "" : `@${encodeURIComponent(version.slice(0, 200))}`}`;
  }
}
