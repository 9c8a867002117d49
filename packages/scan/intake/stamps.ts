import type { Language } from "../analyser.ts";
import type { Encoding } from "./artifact.ts";
import type { Stamp } from "./secure-open.ts";

/** What is known of a file's content. */
export interface Known {
  readonly size: number;
  readonly sha256: string;
  readonly language: Language;
  readonly encoding: Encoding;
}

/** Contents by stamp, so that what did not change is not read again. */
export interface StampMemo {
  get(stamp: Stamp): Known | null;
  /** `fd` is open at the file: what changed since `stamp` was taken must not be believed. */
  put(stamp: Stamp, known: Known, fd: number): void;
}

export const NO_MEMO: StampMemo = { get: () => null, put: () => {} };
