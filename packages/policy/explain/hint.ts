import type { Cause } from "./explanation.ts";

/** How many rules a hint names; a call that more of them deny is said to have more. */
const NAMED = 3;

/** What would allow it: all of the policy's rules that deny it have to go, and what the platform denies stays. */
export function hintOf(causes: readonly Cause[]): string {
  const own = causes.filter(({ by }) => by === "policy");
  const floor = causes.find(({ by }) => by === "platform");
  if (own.length === 0) return floor?.advice ?? "";
  const names = own.slice(0, NAMED).map(({ rule, path }) => `${rule} (${path})`);
  const added = own.flatMap(({ advice }) => (advice === "" ? [] : [advice]));
  if (added.length === own.length && !floor) return added.join("; ");
  const more = own.length > NAMED ? ` and ${own.length - NAMED} more` : "";
  if (floor) return `a policy without ${names.join(", ")}${more} would not allow it either: ${floor.advice}`;
  return `remove ${names.join(", ")}${more} from the policy to allow it`;
}
