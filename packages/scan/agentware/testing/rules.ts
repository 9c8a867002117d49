import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { ScanFile } from "../../analyser.ts";
import { fileOf } from "../../testing/look.ts";
import type { AgentExample } from "../rule.ts";

const RULES = join(import.meta.dirname, "../../../../rules/agentware");

/** The documents of rules/agentware/, as the engine gives them. */
export function agentwareDocuments(): unknown[] {
  const read = (folder: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => parse(readFileSync(join(folder, name), "utf8")) as unknown);
  return [...read(RULES), ...read(join(RULES, "lexicon"))];
}

/** Files of an example; `\u{…}` stand for what they name, as nobody could review the characters themselves. */
export function exampleFiles(example: AgentExample): ScanFile[] {
  const files = typeof example === "string" ? { "SKILL.md": example } : example.files;
  return Object.entries(files).map(([path, text]) =>
    fileOf(
      path,
      text.replace(/\\u\{([0-9a-f]{1,6})\}/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16))),
    ),
  );
}
