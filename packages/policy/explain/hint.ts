import type { Cause } from "./explanation.ts";

/** How many rules a hint names; a call that more of them deny is said to have more. */
const NAMED = 3;

/** What would allow it: all of the policy's rules that deny it have to go, and what the platform denies stays. */
export function hintOf(causes: readonly Cause[]): string {
  const own = causes.filter(({ by }) => by === "policy");
  const floor = causes.find(({ by }) => by === "platform");
  if (own.length === 0) return floor?.advice ?? "";
  const named = (words: (cause: Cause) => string): string =>
    `${own.slice(0, NAMED).map(words).join(", ")}${own.length > NAMED ? ` and ${own.length - NAMED} more` : ""}`;
  if (floor) return `without ${named(({ rule }) => rule)} it would be denied all the same: ${floor.advice}`;
  const added = own.flatMap(({ advice }) => (advice === "" ? [] : [advice]));
  if (added.length === own.length) return added.join("; ");
  return `remove ${named(({ rule, path }) => `${rule} (${path})`)} from the policy to allow it`;
}
