import type { Place } from "@plastron/contracts";
import type { ScanFile } from "../../analyser.ts";
import type { Capability, Use } from "./claim.ts";

const WRITTEN = /\bopen\s{0,4}\((?:[^()\n]|\([^()\n]{0,80}\)){1,200},\s{0,4}(?:mode\s{0,4}=\s{0,4})?["'][rb]{0,2}[wax]/g;
const SECRETS =
  /(?:process\.env\.|process\.env\[\s{0,4}["']|environ\[\s{0,4}["']|environ\.get\(\s{0,4}["']|getenv\(\s{0,4}["'])([A-Z][A-Z0-9_]{1,60}(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?))\b/g;
const DIFY = /\bsession\.(tool|model|node|app|storage)\.(?=[a-z])/g;
const MOST = 30;

/** Of a program's text what no outline of code tells: files it opens to write, secrets of the environment by name, what it asks of a Dify host. */
export function usesIn({ language }: Pick<ScanFile, "language">, text: string, placeOf: (start: number, end: number) => Place): Use[] {
  if (language !== "python" && language !== "javascript" && language !== "typescript") return [];
  const uses = new Map<string, Use>();
  const add = (pattern: RegExp, capability: (name: string) => Capability): void => {
    for (const match of text.matchAll(pattern)) {
      const detail = (match[1] ?? match[0]).slice(0, 120);
      const key = `${capability(detail)} ${detail}`;
      if (uses.has(key)) continue;
      if (uses.size >= MOST) return;
      uses.set(key, { capability: capability(detail), detail, line: placeOf(match.index, match.index + match[0].length).line });
    }
  };
  if (language === "python" && text.includes("open")) add(WRITTEN, () => "write");
  if (text.includes("env")) add(SECRETS, () => "environment");
  if (language === "python" && text.includes("dify_plugin")) add(DIFY, (name) => `dify-${name}`);
  return [...uses.values()];
}
