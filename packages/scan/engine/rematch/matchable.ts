import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { ANALYSERS, type Gap } from "@plastron/contracts";
import { z } from "zod";
import type { KeptFacts } from "../../analyser.ts";

/** What is kept of a scan so that its dependencies can be held against other advisories, without its artifact. */
export interface Matchable {
  /** Packed lists of packages and outlines of code. The artifact's text: hostile. */
  readonly facts: Uint8Array;
  readonly said: Said;
}

/** What the scan said that depends on its advisories, beside findings. */
export interface Said {
  readonly gaps: readonly Gap[];
  readonly notes: readonly string[];
}

const LARGEST = 256 * 2 ** 20;
const keptSchema = z.object({ analyser: z.enum(ANALYSERS as [string, ...string[]]), key: z.string(), facts: z.unknown() });

export async function matchableOf({ facts, gaps }: { facts: Uint8Array; gaps: readonly Gap[] }, notes: readonly string[]): Promise<Matchable> {
  return { facts: await promisify(gzip)(facts), said: { gaps, notes } };
}

/** What was packed, a file at a time. Throws where it is none of ours. */
export async function unpacked({ facts }: Matchable): Promise<KeptFacts[]> {
  const text = (await promisify(gunzip)(facts, { maxOutputLength: LARGEST })).toString("utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => keptSchema.parse(JSON.parse(line)) as KeptFacts);
}
