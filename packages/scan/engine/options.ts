import { existsSync } from "node:fs";
import { join } from "node:path";
import { ANALYSERS, type AnalyserName, type Approvals } from "@plastron/contracts";
import type { FuzzSandbox } from "../fuzz/port.ts";
import type { SecretVerifier } from "../secrets/index.ts";
import type { Matchable } from "./rematch/matchable.ts";

export interface ScanOptions {
  /** Default: all but `fuzz`, which runs code and therefore is asked for. */
  readonly analysers?: readonly AnalyserName[];
  /** For one look of one analyser at one file. */
  readonly fileTimeoutMs?: number;
  /** For one analyser's look at the whole. */
  readonly projectTimeoutMs?: number;
  readonly workers?: number;
  readonly heapMb?: number;
  readonly memoryMb?: number;
  /** Directories of rules beside our own. */
  readonly rules?: readonly string[];
  readonly advisories?: string | null;
  /** A directory in which to keep what was seen, for later scans; null (the default): nothing is kept. `defaultCacheDirectory()` is the user's own. */
  readonly cache?: string | null;
  /** What was approved of the tools and skills that it offers; null (the default): nothing ever was. Never the artifact's own word. */
  readonly approvals?: Approvals | null;
  /** Asks providers whether the secrets that were found still work: sends each to the provider that gave it out. Off unless asked for. */
  readonly verifySecrets?: boolean;
  /** Who is asked then; null (the default): the providers themselves, over HTTPS. */
  readonly verifier?: SecretVerifier | null;
  /** SARIF logs of other tools about the same tree, each with the name that gaps give it: their results are joined with ours. */
  readonly imports?: readonly { readonly name: string; readonly text: string }[];
  /** Calls what the artifact exports, in these sandboxes, for so many seconds; null (the default): none of it runs. */
  readonly fuzz?: { readonly sandbox: FuzzSandbox; readonly seconds: number; readonly seed?: number } | null;
  /** Gets what it takes to hold the result against other advisories later (`Rematcher`), where that is not too much to keep. */
  readonly onMatchable?: ((matchable: Matchable) => void) | null;
  /** A module with another `loadAnalysers`: for tests. */
  readonly registry?: string;
}

export type Settled = Required<ScanOptions>;

/** The rules that come with Plastron. */
export const OWN_RULES = join(import.meta.dirname, "../../../rules");

export function settle(options: ScanOptions): Settled {
  return {
    analysers: (options.analysers ?? ANALYSERS).filter((name) => name !== "fuzz" || (options.analysers && !options.fuzz)),
    fileTimeoutMs: options.fileTimeoutMs ?? 10_000,
    projectTimeoutMs: options.projectTimeoutMs ?? 120_000,
    workers: options.workers ?? 0,
    heapMb: options.heapMb ?? 2048,
    memoryMb: options.memoryMb ?? 4096,
    rules: [OWN_RULES, ...(options.rules ?? [])],
    // A directory that is not there yet cannot be opened to the workers; the seed stands in.
    advisories: options.advisories && existsSync(options.advisories) ? options.advisories : null,
    cache: options.cache ?? null,
    approvals: options.approvals ?? null,
    verifySecrets: options.verifySecrets ?? false,
    verifier: options.verifier ?? null,
    imports: options.imports ?? [],
    fuzz: options.fuzz ?? null,
    onMatchable: options.onMatchable ?? null,
    registry: options.registry ?? join(import.meta.dirname, "analysers.ts"),
  };
}
