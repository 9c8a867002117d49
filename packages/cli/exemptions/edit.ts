import type { Exemption } from "@plastron/scan";
import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { usage } from "../failure.ts";

const NEW = `# Findings that may stand for a while, and who answers for them: \`plastron exempt --help\`, docs/guides/exempt-a-finding.md.
version: 1
exemptions: []
`;

/** The text with one more exemption at its end; what else stands in it, comments too, stays as it is. */
export function withAdded(text: string | null, exemption: Exemption): string {
  const document = parseDocument(text ?? NEW);
  const list = listOf(document);
  list.flow = false;
  const entry = document.createNode({ ...exemption }) as YAMLMap;
  quoteFingerprint(entry);
  list.add(entry);
  return document.toString({ lineWidth: 140 });
}

/** The text with one exemption ending on this day. */
export function withEnd(text: string, id: string, day: string): string {
  const document = parseDocument(text);
  const entry = listOf(document).items.find((item) => isMap(item) && item.get("id") === id);
  if (!isMap(entry)) throw usage(`there is no exemption ${id}`, "`plastron exempt list` shows all.");
  entry.set("expires", day);
  return document.toString({ lineWidth: 140 });
}

function listOf(document: Document): YAMLSeq {
  const list = document.get("exemptions");
  if (!isSeq(list)) throw usage("the file has no list of exemptions", "`plastron exempt check` says what is wrong with it.");
  return list;
}

/** 32 digits, or digits with one e among them, would be read as a number. */
function quoteFingerprint(entry: YAMLMap): void {
  const node = entry.getIn(["scope", "fingerprint"], true) as { type?: string } | undefined;
  if (node) node.type = "QUOTE_DOUBLE";
}
