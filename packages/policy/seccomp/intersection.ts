import { type Condition, type Entry, entriesByName, type Profile, severity, type Verdict } from "./profile.ts";

const passes = ({ action }: Verdict): boolean => action === "allow" || action === "log";

/**
 * One profile that means both: a call is allowed where both allow it, and otherwise the more severe of their answers holds. What
 * either reports stays reported.
 *
 * Where one profile allows a call in all cases and the other lists none of it, the other's default is the answer; where both
 * allow it in some cases only, the more severe of both defaults is.
 */
export function intersection(a: Profile, b: Profile): Profile {
  const refusals = [...a.entries, ...b.entries].filter(({ verdict }) => !passes(verdict));
  const [ofA, ofB] = [entriesByName(a.entries), entriesByName(b.entries)];
  const names = new Set([...ofA.keys(), ...ofB.keys()]);
  const allowed = [...names].flatMap((name) => {
    const grants = both(grantsOf(ofA.get(name), a.otherwise), grantsOf(ofB.get(name), b.otherwise));
    return grants.map(({ when, verdict }): Entry => ({ names: [name], when, verdict }));
  });
  const log = a.otherwise.action === "log" || b.otherwise.action === "log" ? ({ action: "log" } as const) : ({ action: "allow" } as const);
  const open = passes(a.otherwise) && passes(b.otherwise);
  return {
    otherwise: open ? log : moreSevere(a.otherwise, b.otherwise),
    unknown: moreSevere(a.unknown, b.unknown),
    entries: [...refusals, ...allowed, ...residues(names, ofA, ofB, a, b)],
  };
}

type Grant = Pick<Entry, "when" | "verdict">;

/** When a profile lets a call pass. What passes by default passes in every case: its entries add nothing but refusals. */
function grantsOf(entries: readonly Entry[] = [], otherwise: Verdict): Grant[] {
  if (passes(otherwise)) return [{ when: [], verdict: otherwise }];
  const grants = entries.filter(({ verdict }) => passes(verdict));
  const always = grants.find(({ when }) => when.length === 0);
  return always ? [always] : grants;
}

function both(ofA: readonly Grant[], ofB: readonly Grant[]): Grant[] {
  return ofA.flatMap((a) => ofB.map((b) => ({ when: unique([...a.when, ...b.when]), verdict: moreSevere(a.verdict, b.verdict) })));
}

/** A call that one profile always allows and the other does not list at all answers what the other says of calls that it does not list. */
function residues(
  names: ReadonlySet<string>,
  ofA: ReadonlyMap<string, readonly Entry[]>,
  ofB: ReadonlyMap<string, readonly Entry[]>,
  a: Profile,
  b: Profile,
): Entry[] {
  const always = (grants: readonly Grant[]): boolean => grants.some(({ when }) => when.length === 0);
  return [...names].flatMap((name): Entry[] => {
    const [grantsA, grantsB] = [grantsOf(ofA.get(name), a.otherwise), grantsOf(ofB.get(name), b.otherwise)];
    if (always(grantsA) && grantsB.length === 0) return [{ names: [name], when: [], verdict: b.otherwise }];
    if (always(grantsB) && grantsA.length === 0) return [{ names: [name], when: [], verdict: a.otherwise }];
    return [];
  });
}

const moreSevere = (a: Verdict, b: Verdict): Verdict => (severity(b) < severity(a) ? b : a);

function unique(conditions: readonly Condition[]): Condition[] {
  const key = (condition: Condition) =>
    `${condition.index}${condition.op}${"mask" in condition ? condition.mask : ""}.${"value" in condition ? condition.value : ""}`;
  return [...new Map(conditions.map((condition) => [key(condition), condition])).values()];
}
