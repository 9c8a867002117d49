import type { Severity } from "@plastron/contracts";

/** What a check gets: a candidate where it stands. `value` is how it hangs on its name, for detectors of the form `assigned`. */
export interface Candidate {
  readonly secret: string;
  /** The text in which it stands, and where. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly path: string;
  readonly name: string;
  readonly quote: string;
  readonly operator: string;
  /** Milliseconds since 1970, to tell what has expired. */
  readonly now: number;
}

/** `no` is none; what is kept may be graded down or up (never past what the detector says it is, but by `proved`), and may be longer than the pattern saw. */
export type Judgement =
  | "no"
  | {
      /** A checksum or a structure that chance does not make: no placeholder's word and no test's folder speaks against it. */
      readonly proved?: boolean;
      /** Not a placeholder, as its structure shows, though no checksum proves it. */
      readonly genuine?: boolean;
      readonly severity?: Severity;
      readonly confidence?: "high" | "medium" | "low";
      /** Said in the message. */
      readonly note?: string;
      readonly end?: number;
    };

export type Check = (candidate: Candidate) => Judgement;

export const KEEP: Judgement = {};
export const PROVED: Judgement = { proved: true };

/** Bytes of standard or URL-safe base64; null for what is none. */
export function base64Bytes(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return null;
  return Buffer.from(text, "base64");
}

export const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
