/**
 * What a careful reader said of each grave finding of the set, after reading the package's source around it. true: the code is weak as the finding says, for some
 * user of it. false: it is not. arguable: two careful readers would disagree; it does not count as false, and is counted by itself.
 */
export type Judged = "true" | "false" | "arguable";

export interface Judgement {
  /** As in packages.ts. */
  readonly what: string;
  readonly rule: string;
  readonly path: string;
  /** Part of the line's text: lines move, what they say stays. */
  readonly line: string;
  readonly judged: Judged;
  /** One sentence. */
  readonly why: string;
}

export const JUDGEMENTS: readonly Judgement[] = [];
