import type { Kind } from "./classify.ts";
import type { Stamp } from "./secure-open.ts";

/** What is known of a file's content. */
export interface Known extends Kind {
  readonly size: number;
  readonly sha256: string;
}

/** Contents by stamp and path (a name decides what a file is), so that what did not change is not read again. */
export interface StampMemo {
  get(stamp: Stamp, path: string): Known | null;
  /** `fd` is open at the file: what changed since `stamp` was taken must not be believed. */
  put(stamp: Stamp, path: string, known: Known, fd: number): void;
}

export const NO_MEMO: StampMemo = { get: () => null, put: () => {} };
