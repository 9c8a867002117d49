import { type ErrorCode, PlastronError, type Problem } from "@plastron/contracts";
import { Composer, CST, type Document, isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, type Node, type ParsedNode, Parser } from "yaml";
import { member } from "./path.ts";

export type ProblemEntry = NonNullable<Problem["errors"]>[number];

/** 1-based, as editors count. */
export interface Position {
  line: number;
  column: number;
}

export interface SourceDocument {
  value: unknown;
  /** Where the value at each path begins, e.g. `spec.policy.enhanceProtect.hardeningRules[0]`. */
  positions: ReadonlyMap<string, Position>;
  /** Where the key of each map entry begins. */
  keys: ReadonlyMap<string, Position>;
}

/** Which documents these are, for the words and the code of what is said of them: `{noun: "policy", code: "invalid_policy"}`. */
export interface DocumentKind {
  readonly noun: string;
  readonly code: ErrorCode;
}

export const MAX_DOCUMENT_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
/** Also bounds what aliases unfold to. */
const MAX_NODES = 20_000;
/** Of the lexer: a node has about five. The composer needs microseconds for each, and more for those that are faults. */
const MAX_WORDS = 100_000;
/** Each one is looked up through the whole document. */
const MAX_ALIASES = 100;

/**
 * Text from anyone → plain data with positions. YAML 1.2 core schema, one document, no tags of its own, no duplicate keys, bounded
 * in bytes, depth and nodes. Throws PlastronError with the kind's code and nothing else.
 */
export function readDocument(text: string, kind: DocumentKind): SourceDocument {
  const invalid = invalidBy(kind);
  if (text.length > MAX_DOCUMENT_BYTES || new TextEncoder().encode(text).length > MAX_DOCUMENT_BYTES) {
    throw invalid([{ path: "", message: `a ${kind.noun} has at most ${MAX_DOCUMENT_BYTES} bytes` }]);
  }
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", end + 1)) lines.addNewLine(end + 1);
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  refuseTooMuch(text, at, invalid);
  const tokens = [...new Parser().parse(text)];
  const document = onlyDocument(tokens, text.length, at, kind);
  return dataOf(document, at, invalid);
}

/** As they stand in the text. */
export function inOrder(faults: readonly ProblemEntry[]): ProblemEntry[] {
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

export type Invalid = (errors: ProblemEntry[], hint?: string) => PlastronError;

/** Makes one PlastronError of all that is wrong with a document of this kind, its message naming the first. */
export function invalidBy(kind: DocumentKind): Invalid {
  return (errors, hint) => {
    const [first] = errors;
    const place = first?.line ? `line ${first.line}, column ${first.column}: ` : "";
    const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
    return new PlastronError(kind.code, `${place}${first?.message ?? `not a ${kind.noun}`}${more}`, { errors, ...(hint ? { hint } : {}) });
  };
}

/**
 * Looks at the words alone, which takes no time: parser and composer would need long for thousands of open brackets or faults, and
 * the composer's recursion could overflow the stack. What nests by indentation needs a line for each level; `dataOf` bounds that.
 */
function refuseTooMuch(text: string, at: (offset: number) => Position, invalid: Invalid): void {
  let brackets = 0;
  let indicators = 0;
  let offset = 0;
  let words = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++words > MAX_WORDS) throw invalid([{ path: "", message: "the document has too many words", ...at(offset) }]);
    const type = CST.tokenType(lexeme);
    if (type === "flow-seq-start" || type === "flow-map-start") brackets++;
    else if (type === "flow-seq-end" || type === "flow-map-end") brackets--;
    else if (brackets === 0 && (type === "seq-item-ind" || type === "explicit-key-ind" || type === "map-value-ind")) indicators++;
    else if (type === "newline") indicators = 0;
    // `- - - -` opens a list at each dash; within brackets `a: 1, b: 2` opens nothing.
    if (brackets + indicators > MAX_DEPTH) throw invalid([{ path: "", message: `nested deeper than ${MAX_DEPTH} levels`, ...at(offset) }]);
    if (type !== "doc-mode" && type !== "scalar" && type !== "flow-error-end") offset += lexeme.length;
  }
}

function onlyDocument(tokens: CST.Token[], end: number, at: (offset: number) => Position, kind: DocumentKind): Document.Parsed {
  const invalid = invalidBy(kind);
  const documents = [
    // Not uniqueKeys: the library compares each key with all before it, minutes for a document of nothing but keys. `dataOf` does it.
    ...new Composer({ schema: "core", merge: false, strict: true, uniqueKeys: false, prettyErrors: false, logLevel: "silent" }).compose(tokens, true, end),
  ];
  const [document, second] = documents as Document.Parsed[];
  // An unknown tag is only a warning to the library: here nothing that was not understood may pass.
  const faults = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  if (faults.length > 0) throw invalid(faults.slice(0, 20).map((fault) => ({ path: "", message: fault.message, ...at(fault.pos[0]) })));
  if (!document?.contents) throw invalid([{ path: "", message: "the document is empty" }]);
  if (second) {
    const start = at(second.range[0]);
    throw invalid(
      [{ path: "", message: "a second document begins here", ...start }],
      `Give each ${kind.noun} its own file: one document, without \`---\` between several.`,
    );
  }
  return document;
}

function dataOf(document: Document.Parsed, at: (offset: number) => Position, invalid: Invalid): SourceDocument {
  const positions = new Map<string, Position>();
  const keys = new Map<string, Position>();
  let nodes = 0;
  let aliases = 0;

  const read = (node: Node, path: string, depth: number, place: Position): unknown => {
    nodes++;
    // A cycle of aliases, and aliases of aliases that grow without end, stop here.
    if (isAlias(node)) aliases++;
    if (nodes > MAX_NODES || aliases > MAX_ALIASES || depth > MAX_DEPTH) throw invalid([{ path, message: "the document unfolds to too much", ...place }]);
    positions.set(path, place);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (!target) throw invalid([{ path, message: "this alias has no anchor", ...place }]);
      return read(target, path, depth + 1, place);
    }
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, i) => read(item as Node, `${path}[${i}]`, depth + 1, placeOf(item, place)));
    if (isMap(node)) {
      const seen = new Set<string>();
      return Object.fromEntries(node.items.map((pair) => entry(pair, path, depth, place, seen)));
    }
    throw invalid([{ path, message: "this kind of value is not read", ...place }]);
  };
  const entry = (pair: { key: unknown; value: unknown }, path: string, depth: number, place: Position, seen: Set<string>): [string, unknown] => {
    const keyPlace = placeOf(pair.key, place);
    if (!isScalar(pair.key) || typeof pair.key.value !== "string") throw invalid([{ path, message: "a field's name must be text", ...keyPlace }]);
    if (seen.has(pair.key.value)) throw invalid([{ path, message: "Map keys must be unique", ...keyPlace }]);
    seen.add(pair.key.value);
    const inner = member(path, pair.key.value);
    keys.set(inner, keyPlace);
    return [pair.key.value, pair.value === null ? null : read(pair.value as Node, inner, depth + 1, placeOf(pair.value, keyPlace))];
  };
  const placeOf = (node: unknown, otherwise: Position): Position => {
    const range = (node as ParsedNode | null)?.range;
    return range ? at(range[0]) : otherwise;
  };

  const contents = document.contents as ParsedNode;
  return { value: read(contents, "", 0, placeOf(contents, { line: 1, column: 1 })), positions, keys };
}
