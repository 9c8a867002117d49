import { z } from "zod";

/** Names and patterns as data: `rules/agentware/lexicon/*.yaml`. */
export const listsSchema = z.strictObject({ lists: z.record(z.string(), z.array(z.string())) });
export type ListsDocument = z.infer<typeof listsSchema>;

/** Lists by name; one that nobody wrote is empty. */
export class Lists {
  private readonly lists = new Map<string, readonly string[]>();
  private readonly sets = new Map<string, ReadonlySet<string>>();
  private readonly all = new Map<string, RegExp>();
  private readonly patterns = new Map<string, RegExp>();

  constructor(documents: readonly ListsDocument[]) {
    for (const { lists } of documents) for (const [name, entries] of Object.entries(lists)) this.lists.set(name, [...this.of(name), ...entries]);
  }

  of(name: string): readonly string[] {
    return this.lists.get(name) ?? [];
  }

  set(name: string): ReadonlySet<string> {
    const set = this.sets.get(name) ?? new Set(this.of(name).map((entry) => entry.toLowerCase()));
    this.sets.set(name, set);
    return set;
  }

  /** The same, to find all places. */
  everywhere(name: string): RegExp {
    const known = this.all.get(name) ?? new RegExp(this.pattern(name).source, "gi");
    this.all.set(name, known);
    return known;
  }

  /** Any of a list's entries, which are regular expressions, case ignored. */
  pattern(name: string): RegExp {
    const known = this.patterns.get(name);
    if (known) return known;
    const entries = this.of(name);
    const pattern = entries.length === 0 ? /(?!)/ : new RegExp(entries.map((entry) => `(?:${entry})`).join("|"), "i");
    this.patterns.set(name, pattern);
    return pattern;
  }
}
