import type { ScanFile } from "../../analyser.ts";
import type { Surface } from "./model.ts";

/** Files that assistants take as their orders, by name: skills, memories, rules of coding agents, prompts. */
const ORDERS =
  /(?:^|\/)(?:skill|agents?|claude(?:\.local)?|gemini|soul|memory|identity|user|tools|heartbeat|bootstrap|copilot-instructions|system[-_]?prompt|\.?cursorrules|\.?windsurfrules|\.?clinerules|\.goosehints|llms(?:-full)?)(?:\.(?:md|mdc|txt|mdx|markdown))?$/i;
const ORDERS_FOLDERS =
  /(?:^|\/)(?:\.cursor\/rules|\.claude\/(?:commands|agents|skills)|\.windsurf\/rules|\.clinerules|\.github\/(?:instructions|prompts|chatmodes)|prompts?|skills|commands|agents)\/[^\0]*\.(?:md|mdc|mdx|txt|markdown|prompt)$/i;
/** What projects say to people by long habit, wherever it lies. */
const PEOPLES =
  /(?:^|\/)(?:readme|changelog|changes|history|contributing|code_of_conduct|security|license|licence|notice|authors|support)(?:[._-][\w-]*)*(?:\.\w+)?$/i;

/** Who reads a text file, as its path says. */
export function surfaceOf({ path, language }: Pick<ScanFile, "path" | "language">): Surface {
  if (PEOPLES.test(path)) return "people";
  if (language === "markdown" || language === "text" || language === "html") return ORDERS.test(path) || ORDERS_FOLDERS.test(path) ? "agent" : "people";
  return "program";
}
