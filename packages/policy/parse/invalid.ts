import { invalidBy } from "@plastron/document";

export const POLICY = { noun: "policy", code: "invalid_policy" } as const;

/** One PlastronError invalid_policy for all that is wrong, its message naming the first. */
export const invalid = invalidBy(POLICY);
