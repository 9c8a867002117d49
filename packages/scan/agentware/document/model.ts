/**
 * What a document is made of, whatever its format: blocks of text, each with what it is, where it stands and who would see it. Slices
 * of the artifact throughout: hostile text.
 */
export type BlockKind =
  | "heading"
  | "prose"
  | "item"
  | "quote"
  | "cell"
  | "code"
  /** A comment of HTML, or a link definition that shows nothing. */
  | "comment"
  /** A value of front matter, JSON or YAML that is no instruction by its key. */
  | "value"
  /** What a model is given to read by its place: a tool's description, a prompt. */
  | "description"
  /** A comment of source code. */
  | "remark"
  /** A docstring or a text constant of source code. */
  | "string";

/** Who reads it: a model as its orders, people, or a program that it is part of. */
export type Surface = "agent" | "people" | "program";

export interface Block {
  readonly kind: BlockKind;
  readonly text: string;
  /** Offset in the file's text; where `exact`, `text` is the slice that begins there. */
  readonly start: number;
  readonly exact: boolean;
  readonly surface: Surface;
  /** Headings above it, outermost first; for data the keys that lead to it. */
  readonly section: readonly string[];
  /** A fence's language, lower case. */
  readonly lang: string;
  /** The last sentence before it, where that ends with a colon or stands right above: what it is said to be. */
  readonly lead: string;
  /** Why people do not see it, in words; null where they do. */
  readonly hidden: string | null;
  /** What it was taken out of: `base64`, `unicode-tags`. */
  readonly layers: readonly string[];
}

export interface AgentDocument {
  readonly surface: Surface;
  readonly blocks: readonly Block[];
  /** What of it was read by weaker means, in words; empty when nothing. */
  readonly degraded: readonly { readonly reason: string; readonly detail: string }[];
}

/** Whatever a document holds, no more of it becomes blocks. */
export const MAX_BLOCKS = 200_000;

/** A block with everything that it need not say. */
export function block(kind: BlockKind, text: string, start: number, surface: Surface, more: Partial<Block> = {}): Block {
  return { kind, text, start, surface, exact: true, section: [], lang: "", lead: "", hidden: null, layers: [], ...more };
}
