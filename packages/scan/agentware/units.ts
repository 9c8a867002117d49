import type { Place } from "@plastron/contracts";
import type { Look, Project, ScanFile } from "../analyser.ts";
import { judge, Signals } from "./judge.ts";
import type { Seen } from "./look.ts";
import type { Pack } from "./pack.ts";
import { matchOf } from "./report.ts";
import type { AgentRule } from "./rule.ts";
import type { Signal } from "./signal.ts";

/** A signal that can still tell its place when its file is gone. */
export type PlacedSignal = Signal & { readonly place: Place };

/** What one file leaves for the look over all. */
export interface AgentFacts {
  readonly signals: readonly PlacedSignal[];
}

const MAX_SIGNALS = 400;
/** Files that say: here begins a thing of its own. */
const ROOTS = /(?:^|\/)(?:SKILL\.md|manifest\.ya?ml|package\.json|pyproject\.toml)$/i;

/** Only signals that rules over units ask for are kept. */
export function factsOf(_file: ScanFile, _text: string, { signals }: Seen, placeOf: (signal: Signal) => Place, rules: readonly AgentRule[]): AgentFacts | null {
  const asked = askedBy(rules);
  const kept = signals.filter((signal) => asked.has(signal.name)).slice(0, MAX_SIGNALS);
  return kept.length === 0 ? null : { signals: kept.map((signal) => ({ ...signal, place: placeOf(signal) })) };
}

function askedBy(rules: readonly AgentRule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap((rule) => rule.grades.flatMap((grade) => [grade.signal, ...grade.near.flatMap(({ any, all, none }) => [...any, ...all, ...none])].flat())),
  );
}

/** Rules whose evidence lies in several files of one skill, plugin or package. */
export function overUnits(project: Project, rules: readonly AgentRule[], _pack: Pack): Look<null> {
  const facts = project.facts<AgentFacts>("agentware");
  const roots = [...new Set(project.files.filter(({ path }) => ROOTS.test(path)).map(({ path }) => folderOf(path)))].sort((a, b) => b.length - a.length);
  const units = Map.groupBy(facts.entries(), ([key]) => roots.find((root) => root === "" || key.startsWith(`${root}/`)) ?? "");
  const matches = [...units.values()].flatMap((files) => {
    // Blocks of different files are never near each other.
    const all = files.flatMap(([, { signals }], i) => signals.map((signal) => ({ ...signal, block: signal.block + i * 1_000_000 })));
    const unit = new Signals(all);
    return Map.groupBy(all, ({ block }) => Math.floor(block / 1_000_000))
      .values()
      .flatMap((own) => rules.flatMap((rule) => judge(rule, new Signals(own), unit)))
      .map((each) => matchOf(each, (each.signal as PlacedSignal).place, (signal) => (signal as PlacedSignal).place))
      .toArray();
  });
  return { matches, facts: null, gaps: [] };
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
