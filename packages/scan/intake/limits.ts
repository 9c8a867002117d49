/** How much of an artifact is taken in. What lies beyond is a gap, or, where the whole would be meaningless, an error. */
export interface Limits {
  /** Bytes of all files together, archives' members included. */
  readonly totalBytes: number;
  /** Of one file; larger ones are named and skipped. */
  readonly fileBytes: number;
  readonly files: number;
  /** Directories below each other. */
  readonly depth: number;
  /** Archives inside of each other. */
  readonly archiveDepth: number;
  /** Bytes out of one byte in, over a whole archive, once it has given more than `ratioFloor`. */
  readonly ratio: number;
  readonly ratioFloor: number;
  /** Bytes of a download: a clone, a package. */
  readonly downloadBytes: number;
  readonly downloadMs: number;
}

const MIB = 2 ** 20;

export const DEFAULT_LIMITS: Limits = {
  totalBytes: 4096 * MIB,
  fileBytes: 128 * MIB,
  files: 500_000,
  depth: 128,
  archiveDepth: 4,
  ratio: 200,
  ratioFloor: 64 * MIB,
  downloadBytes: 2048 * MIB,
  downloadMs: 300_000,
};
