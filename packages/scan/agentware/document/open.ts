import type { ScanFile } from "../../analyser.ts";
import { dataBlocks, valueBlock } from "./data.ts";
import { hiddenRanges } from "./hidden-html.ts";
import { frontMatterEnd, markdownBlocks } from "./markdown.ts";
import { type AgentDocument, type Block, block, type Surface } from "./model.ts";
import { sourceBlocks } from "./source.ts";
import { surfaceOf } from "./surface.ts";
import { yamlValues } from "./values.ts";

/** A text is read as blocks up to here; the rest of it is only looked through for hidden characters. */
export const MAX_TEXT = 8_000_000;

const LOCALES =
  /(?:^|[/._-])(?:locales?|i18n|l10n|lang|langs|translations?|intl|messages|(?:en|zh|ja|ko|de|fr|es|pt|ru|it|tr|pl|nl|uk|vi|id|ar|fa|th)[-_][A-Za-z]{2,4})[/._-]/;

/** A file as the blocks it is made of, whatever its format. */
export function openDocument(file: Pick<ScanFile, "path" | "language">, whole: string): AgentDocument {
  const cut = whole.length > MAX_TEXT;
  const text = cut ? whole.slice(0, MAX_TEXT) : whole;
  const document = openWhole(file, text);
  return cut
    ? {
        ...document,
        degraded: [
          ...document.degraded,
          { reason: "too_large", detail: `${whole.length} characters: those past the first ${MAX_TEXT} were only looked through for hidden characters` },
        ],
      }
    : document;
}

function openWhole(file: Pick<ScanFile, "path" | "language">, text: string): AgentDocument {
  const surface = surfaceOf(file);
  switch (file.language) {
    case "markdown":
      return withFrontMatter(text, surface, markdownBlocks(text, surface));
    case "text":
      return /(?:^|\/)\.?[\w-]*(?:rc|lock|cfg|conf|ini|csv|tsv|log|svg|map)$/i.test(file.path)
        ? { surface, blocks: [], degraded: [] }
        : markdownBlocks(text, surface);
    case "html":
      return htmlBlocks(text, surface);
    case "json":
    case "yaml": {
      const data = dataBlocks(text, file.language, file.path);
      return (
        data ?? {
          ...markdownBlocks(text, "program"),
          degraded: [{ reason: "syntax_error", detail: `not readable as ${file.language}: its lines were read as plain text` }],
        }
      );
    }
    default: {
      const source = sourceBlocks(text, file.language);
      // What an interface says to people in many languages is called description as well.
      return LOCALES.test(file.path) ? { ...source, blocks: source.blocks.map((each) => ({ ...each, surface: "program" })) } : source;
    }
  }
}

/** Front matter is loaded before anything else of a skill: its description is always in the model's sight. */
function withFrontMatter(text: string, surface: Surface, document: AgentDocument): AgentDocument {
  const end = frontMatterEnd(text);
  if (end === 0) return document;
  const open = text.indexOf("\n") + 1;
  const head = text.slice(open, end).replace(/(?:---|\.\.\.)[ \t]*$/, "");
  const values = yamlValues(head);
  const blocks: Block[] = (values ?? []).map((value) => valueBlock(text, { ...value, start: value.start + open, end: value.end + open }, surface === "agent"));
  const remarks = [...head.matchAll(/(?:^|\s)#[^\n]*/g)].map((remark) =>
    block("comment", remark[0], open + remark.index, surface, { hidden: "a comment of the front matter" }),
  );
  const broken = values === null ? [{ reason: "syntax_error", detail: "its front matter is no YAML" }] : [];
  return { ...document, blocks: [...blocks, ...remarks, ...document.blocks], degraded: [...document.degraded, ...broken] };
}

/** Of a page what can be read, tags blanked out at their places, and what its styles hide. */
function htmlBlocks(text: string, surface: Surface): AgentDocument {
  const hidden = hiddenRanges(text, []);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of hidden) {
    parts.push(text.slice(at, start), " ".repeat(end - start));
    at = end;
  }
  parts.push(text.slice(at));
  const seen = parts
    .join("")
    .replace(/<(?:script|style)\b[^>]{0,500}>[^<]*(?:<(?!\/(?:script|style))[^<]*)*/gi, blanks)
    .replace(/<[^<>]{0,2000}>/g, blanks);
  const blocks: Block[] = [];
  for (const match of seen.matchAll(/\S[^\n]*(?:\n[^\n]*\S[^\n]*)*/g)) blocks.push(block("prose", match[0], match.index, surface));
  for (const { start, end, why } of hidden) blocks.push(block("comment", text.slice(start, end), start, surface, { hidden: why ?? null }));
  return { surface, blocks, degraded: [] };
}

function blanks(tag: string): string {
  return tag.replace(/[^\n]/g, " ");
}
