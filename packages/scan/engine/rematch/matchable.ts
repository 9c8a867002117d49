import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { type AnalyserName, analyserSchema, type Gap } from "@plastron/contracts";
import { z } from "zod";

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
const headSchema = z.object({ analyser: analyserSchema, key: z.string() });

/** One file's facts as they were packed. What they say is nothing to this process: only a worker reads it. */
export interface PackedFacts {
  readonly analyser: AnalyserName;
  readonly key: string;
  readonly json: Buffer;
}

export async function matchableOf({ facts, gaps }: { facts: Uint8Array; gaps: readonly Gap[] }, notes: readonly string[]): Promise<Matchable> {
  return { facts: await promisify(gzip)(facts), said: { gaps, notes } };
}

/** What was packed, a file at a time. Throws where it is none of ours. */
export async function unpacked({ facts }: Matchable): Promise<PackedFacts[]> {
  const bytes = await promisify(gunzip)(facts, { maxOutputLength: LARGEST });
  const found: PackedFacts[] = [];
  for (let at = 0; at < bytes.length - 1; ) {
    const [headEnd, end] = [bytes.indexOf(10, at), bytes.indexOf(10, bytes.indexOf(10, at) + 1)];
    if (headEnd < 0 || end < 0) throw new Error("it ends in the middle");
    found.push({ ...headSchema.parse(JSON.parse(bytes.toString("utf8", at, headEnd))), json: bytes.subarray(headEnd + 1, end) });
    at = end + 1;
  }
  return found;
}
