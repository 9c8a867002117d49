import type { Match } from "@plastron/contracts";

/** Every finding says what to do. A rule that says nothing gets what can be said of any of its kind. */
export function withFix(match: Match): Match {
  if (match.fix.text.trim() !== "") return match;
  return { ...match, fix: { ...match.fix, text: suggestion(match) } };
}

function suggestion({ package: affected, verdict }: Match): string {
  if (affected) {
    const [lowest] = affected.fixed;
    if (!lowest) return `No version of ${affected.name} without this is known: replace it, or stop using what is affected.`;
    const via = affected.direct ? "" : `, which ${affected.path[0] ?? "another package"} brings,`;
    return `Update ${affected.name}${via} from ${affected.version} to ${lowest} or later.`;
  }
  switch (verdict) {
    case "secret":
      return "Revoke it at its provider first: whoever could read this could copy it. Then take it out of the code, and read it from the environment or a secret store.";
    case "malice":
      return "Do not run this. Remove it, find out who brought it in, and treat what ran it as compromised.";
    case "authority":
      return "Decide whether it needs this; grant no more than it needs.";
    case "weakness":
      return "Keep what others control away from this place, or check it against a list of what is allowed before it gets here.";
  }
}
