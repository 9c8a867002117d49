/** What a name could be taken for, and by what sleight. */
export interface Lookalike {
  readonly of: string;
  readonly how: string;
}

/** Signs that are taken for others at a glance. */
const GLANCES: readonly (readonly [RegExp, string])[] = [
  ...[
    [/rn/g, "m"] as const,
    [/vv/g, "w"] as const,
    [/cl/g, "d"] as const,
    [/[0]/g, "o"] as const,
    [/[1|]/g, "l"] as const,
    [/5/g, "s"] as const,
    [/3/g, "e"] as const,
  ],
];
/** Below that, names lie close to each other by chance. */
const SHORTEST = 5;

/** Finds the popular name that another one could be taken for. Names that are well known themselves (`known`) never are. */
export class Names {
  private readonly popular: ReadonlySet<string>;
  private readonly known: ReadonlySet<string>;
  private readonly letters: ReadonlyMap<string, string>;
  private readonly byLength: ReadonlyMap<number, readonly string[]>;
  private readonly cache = new Map<string, Lookalike | null>();

  constructor(popular: readonly string[], known: readonly string[], letters: ReadonlyMap<string, string>) {
    this.popular = new Set(popular);
    this.known = new Set(known);
    this.letters = letters;
    this.byLength = Map.groupBy(popular, (name) => name.length);
  }

  /** Null where it is taken for nothing. */
  of(name: string): Lookalike | null {
    const known = this.cache.get(name);
    if (known !== undefined) return known;
    const found = this.find(name);
    if (this.cache.size < 20_000) this.cache.set(name, found);
    return found;
  }

  private find(name: string): Lookalike | null {
    if (this.popular.has(name) || this.known.has(name) || name.length > 80) return null;
    const folded = [...name].map((letter) => this.letters.get(letter) ?? letter).join("");
    if (folded !== name && this.popular.has(folded)) return { of: folded, how: "letters of another alphabet" };
    if (name.length < SHORTEST) return null;
    for (const [pattern, shown] of GLANCES) {
      const seen = name.replace(pattern, shown);
      if (seen !== name && this.popular.has(seen)) return { of: seen, how: "signs that look alike" };
    }
    for (const length of [name.length - 1, name.length, name.length + 1])
      for (const popular of this.byLength.get(length) ?? [])
        if (popular.length >= SHORTEST && oneApart(name, popular)) return { of: popular, how: "one letter" };
    return null;
  }
}

/** One letter is exchanged, left out, put in, or two are swapped. Digits at the end are versions. */
function oneApart(name: string, popular: string): boolean {
  if (name.replace(/[\d.]+$/, "") === popular.replace(/[\d.]+$/, "")) return false;
  let start = 0;
  while (start < name.length && name[start] === popular[start]) start++;
  let ends = 0;
  while (ends < name.length - start && ends < popular.length - start && name[name.length - 1 - ends] === popular[popular.length - 1 - ends]) ends++;
  const here = name.slice(start, name.length - ends);
  const there = popular.slice(start, popular.length - ends);
  // A dash more is the same name in another hand, an s at the end its plural.
  if (here.length + there.length === 1)
    return !/[-_.]/.test(here + there) && !(here + there === "s" && ends === 0 && !/ss$/.test(name) && !/ss$/.test(popular));
  if (here.length === 1 && there.length === 1) return true;
  return here.length === 2 && there.length === 2 && here[0] === there[1] && here[1] === there[0];
}

/** The part of a host that was bought: `a.b.example.co.uk` → `example.co.uk`. */
export function boughtName(host: string): string {
  const labels = host.split(".");
  const short = labels.length > 2 && (labels.at(-2) as string).length <= 3 && (labels.at(-1) as string).length === 2;
  return labels.slice(short ? -3 : -2).join(".");
}
