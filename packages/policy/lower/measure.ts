import type { Fidelity } from "@plastron/contracts";
import type { Demands } from "../confine.ts";
import { sentences } from "./claims.ts";
import type { Claim, FileIntent } from "./part.ts";

/** What one intent of a raw rule becomes, and what is claimed of that. */
export interface Measure {
  demands?: Partial<Demands>;
  watched?: readonly FileIntent[];
  claim: Claim;
}

/** From the best to the worst: of several, a rule is as good as the worst of its parts. */
const ORDER: readonly Fidelity[] = ["by-construction", "exact", "stricter", "approximate", "unsupported"];

/** Several claims as one, each thing said once. A part that is not enforced makes a hole, and all of them no rule. */
export function joinClaims(claims: readonly Claim[]): Claim {
  const held = claims.filter(({ fidelity }) => fidelity !== "unsupported");
  const worst = ORDER[Math.max(...claims.map(({ fidelity }) => ORDER.indexOf(fidelity)))] ?? "exact";
  return {
    fidelity: worst === "unsupported" && held.length > 0 ? "approximate" : worst,
    mechanism: sentences(...unique((held.length > 0 ? held : claims).map(({ mechanism }) => mechanism))),
    note: sentences(...unique(claims.map(({ note }) => note))),
    self_tests: held.flatMap(({ self_tests }) => self_tests),
    observed: held.flatMap(({ self_tests, observed }) => observed ?? self_tests),
  };
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
