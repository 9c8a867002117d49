import type { RunResult, Runtime } from "@plastron/contracts";

/** One program in one fresh sandbox, without network. */
export interface FuzzOrder {
  readonly runtime: Runtime;
  readonly code: string;
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly stdin: string;
  /** Globs of files to bring back. */
  readonly collect: readonly string[];
  readonly wallMs: number;
}

/**
 * What makes sandboxes for fuzzing: the command line gives its own driver, a server its agent. Each run is a sandbox of its own that nothing outlives, with
 * no way out and with limits of memory and processes. `violations` of the result hold what rules of the policy it hit.
 */
export interface FuzzSandbox {
  run(
    order: FuzzOrder,
    onOutput: (chunk: Uint8Array) => void,
    signal?: AbortSignal,
  ): Promise<Pick<RunResult, "status" | "signal" | "exit_code" | "reason" | "artifacts" | "violations">>;
}
