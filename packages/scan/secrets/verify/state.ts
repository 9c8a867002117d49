import type { MatchInput } from "@plastron/contracts";

export type FoundState = "live" | "dead" | "unverified";

/** Asks a provider whether a secret works. Never throws: who cannot be asked leaves it unverified. */
export interface SecretVerifier {
  /** `name` is that of a verifier in rules/secrets/verifiers.yaml. */
  verify(name: string, secret: string): Promise<FoundState>;
}

/** A live secret is critical wherever it lies; a dead one is at most low, and worth knowing: somebody put it there. */
export function withState<M extends MatchInput>(match: M, state: FoundState): M {
  if (!match.secret || state === "unverified") return match;
  const secret = { ...match.secret, state };
  if (state === "live") return { ...match, secret, severity: "critical", confidence: "high", message: `${match.message} Its provider says that it works now.` };
  return {
    ...match,
    secret,
    severity: match.severity === "info" ? "info" : "low",
    message: `${match.message} Its provider says that it does not work any more.`,
  };
}
