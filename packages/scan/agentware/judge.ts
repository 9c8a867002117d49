import { SEVERITIES } from "@plastron/contracts";
import type { Pack } from "./pack.ts";
import type { AgentRule, Grade, Near } from "./rule.ts";
import type { Signal } from "./signal.ts";

/** A rule that fits a signal, with the grade by which it does. */
export interface Judgement {
  readonly rule: AgentRule;
  readonly grade: Grade;
  readonly signal: Signal;
  /** What stands beside it that made it this grave. */
  readonly beside: readonly Signal[];
}

/** Signals by name, asked for again and again. */
export class Signals {
  private readonly byName: ReadonlyMap<string, readonly Signal[]>;
  /** Whether blocks that follow each other belong together, as those of a text do; constants of a program do not. */
  readonly flowing: boolean;
  constructor(signals: readonly Signal[], flowing = true) {
    this.flowing = flowing;
    this.byName = Map.groupBy(signals, (signal) => signal.name);
  }

  of(names: readonly string[]): readonly Signal[] {
    const [only] = names;
    return names.length === 1 ? (this.byName.get(only as string) ?? []) : names.flatMap((name) => this.byName.get(name) ?? []);
  }
}

/** A flood says no more than its gravest; that there was one is said (`floodOf`). */
export const MAX_OF_A_RULE = 50;

/** What a rule finds among the signals of a file, the gravest where there are too many; `unit` are those of all files that belong together. */
export function judge(rule: AgentRule, own: Signals, unit: Signals): { readonly judgements: Judgement[]; readonly more: boolean } {
  const names = new Set(rule.grades.flatMap(({ signal }) => signal));
  const judgements: Judgement[] = [];
  const seen = new Set<string>();
  for (const signal of own.of([...names])) {
    const place = `${signal.start}:${signal.name}`;
    if (seen.has(place)) continue;
    for (const grade of rule.grades) {
      if (!fits(grade, signal)) continue;
      const beside = besides(grade, signal, own, unit);
      if (!beside) continue;
      if (!grade.not) {
        seen.add(place);
        judgements.push({ rule, grade, signal, beside });
      }
      break;
    }
  }
  const more = judgements.length > MAX_OF_A_RULE;
  return { judgements: withoutNested(more ? judgements.toSorted((a, b) => gravity(rule, a) - gravity(rule, b)).slice(0, MAX_OF_A_RULE) : judgements), more };
}

/** All rules' judgements, and the names of those of which there were too many. */
export function judgeAll(rules: readonly AgentRule[], own: Signals, unit: Signals): { readonly judgements: Judgement[]; readonly flooded: string[] } {
  const all = rules.map((rule) => ({ rule, ...judge(rule, own, unit) }));
  return { judgements: all.flatMap(({ judgements }) => judgements), flooded: all.filter(({ more }) => more).map(({ rule }) => rule.id) };
}

/** Malice first, then by severity: a lower number is graver. */
function gravity({ verdict, severity }: AgentRule, { grade }: Judgement): number {
  return ((grade.verdict ?? verdict) === "malice" ? 0 : 10) + SEVERITIES.indexOf(grade.severity ?? severity);
}

function fits({ signal: names, surface, stance, hidden, traits, not_traits }: Grade, signal: Signal): boolean {
  if (typeof names === "string" ? names !== signal.name : !names.includes(signal.name)) return false;
  if (!stance.includes(signal.stance)) return false;
  if (surface && !surface.includes(signal.surface)) return false;
  if (hidden !== undefined && hidden !== (signal.hidden !== null)) return false;
  if (traits && !traits.some((trait) => signal.traits.includes(trait))) return false;
  return !not_traits?.some((trait) => signal.traits.includes(trait));
}

/** What must stand beside a signal for a grade to hold; null where something of it is missing. */
function besides({ near }: Grade, signal: Signal, own: Signals, unit: Signals): Signal[] | null {
  const found: Signal[] = [];
  for (const each of near) {
    const reach = (name: string) =>
      (each.within === "unit" ? unit : own).of([name]).find((other) => other !== signal && other.stance === "told" && isNear(each, signal, other, own.flowing));
    if (each.none.some((name) => reach(name))) return null;
    const all = each.all.map(reach);
    if (all.some((other) => !other)) return null;
    const any = each.any.map(reach).find((other) => other);
    if (each.any.length > 0 && !any) return null;
    found.push(...(all as Signal[]), ...(any ? [any] : []));
  }
  return found;
}

const BLOCKS_OF_A_SECTION = 4;

function isNear({ within }: Near, signal: Signal, other: Signal, flowing: boolean): boolean {
  if (within === "block" || (within === "section" && !flowing && signal.block >= 0)) return other.block === signal.block;
  if (within === "section") return Math.abs(other.block - signal.block) <= BLOCKS_OF_A_SECTION;
  return true;
}

/** Of findings of one rule that lie within each other the first is enough. */
function withoutNested(judgements: readonly Judgement[]): Judgement[] {
  const kept: Judgement[] = [];
  for (const each of [...judgements].sort((a, b) => a.signal.start - b.signal.start || b.signal.end - a.signal.end)) {
    const outer = kept.at(-1);
    if (outer && outer.signal.end >= each.signal.end && outer.grade === each.grade) continue;
    kept.push(each);
  }
  return kept;
}

export function rulesOf(pack: Pack, ofUnit: boolean, isOfUnit: (rule: AgentRule) => boolean): readonly AgentRule[] {
  return pack.rules.filter((rule) => isOfUnit(rule) === ofUnit);
}
