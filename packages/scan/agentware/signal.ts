import type { Block, Surface } from "./document/model.ts";
import type { Stance } from "./language/stance.ts";

/**
 * Something of note that a file holds, before any rule judges it: `override`, `download-run`, `hidden-text`. Rules say which of them,
 * together or alone, make a finding.
 */
export interface Signal {
  readonly name: string;
  readonly stance: Stance;
  readonly surface: Surface;
  /** Why people do not see it; null where they do. */
  readonly hidden: string | null;
  /** Offsets in the file's text. */
  readonly start: number;
  readonly end: number;
  readonly layers: readonly string[];
  /** What it is about, in words for the message: decoded text, a host, a path. */
  readonly detail: string;
  /** Number of the block, to know what stands together. */
  readonly block: number;
  /** Qualities that rules may ask for: `trusted-host`, `raw-host`, `agent-addressed`. */
  readonly traits: readonly string[];
}

/** A signal at a place of a block; where the block is no slice of the file, all of it is the place. */
export function signalAt(name: string, each: Block, number: number, span: { start: number; end: number }, more: Partial<Signal> = {}): Signal {
  const start = each.exact ? each.start + span.start : each.start;
  const end = each.exact ? each.start + span.end : each.start + 1;
  const base = { name, stance: "told" as const, surface: each.surface, hidden: each.hidden, layers: each.layers, detail: "", block: number, traits: [] };
  return { ...base, start, end: Math.max(end, start + 1), ...more };
}
