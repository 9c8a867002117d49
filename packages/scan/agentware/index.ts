/**
 * Malice aimed at agents, and what makes them easy prey: instructions that override, conceal or persist, hidden text, code that is fetched
 * and run, secrets that leave, tools that pose as others. It reads a document's structure and polarity (language/stance.ts): what forbids an
 * attack, warns of one or quotes one is none. What may do much and says so is authority, never malice.
 */
import type { Analyser, FileHead, Look, Project, ScanFile } from "../analyser.ts";
import { judge, rulesOf, Signals } from "./judge.ts";
import { seenIn } from "./look.ts";
import { packOf } from "./pack.ts";
import { Places } from "./place.ts";
import { matchOf } from "./report.ts";
import { isOfUnit } from "./rule.ts";
import { type AgentFacts, factsOf, overUnits } from "./units.ts";

export { agentRuleSchema } from "./rule.ts";
export type { AgentFacts } from "./units.ts";

/** Number of this code: its answers to equal files change with it. */
const CODE = 1;
const MAX_BYTES = 200_000_000;
const GENERATED = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|[^/]*\.(?:map|svg|lock|snap))$/i;

/** An analyser out of the documents of rules/agentware/ (with lexicon/), parsed from YAML. Throws where one of them is malformed. */
export function createAgentware(rules: readonly unknown[]): Analyser<AgentFacts> {
  const pack = packOf(rules);
  const ofFile = rulesOf(pack, false, isOfUnit);
  const ofUnit = rulesOf(pack, true, isOfUnit);
  return {
    name: "agentware",
    version: `${CODE}.${pack.digest}`,
    wants: (file: FileHead) => file.language !== "binary" && file.size < MAX_BYTES && !GENERATED.test(file.path),
    file(file: ScanFile): Look<AgentFacts> {
      const { text } = file;
      if (text === null) return { matches: [], facts: null, gaps: [] };
      const seen = seenIn(file, text, pack);
      const places = new Places(file, text);
      const signals = new Signals(seen.signals);
      const placeOf = (signal: { start: number; end: number; layers: readonly string[] }) => places.of(signal.start, signal.end, signal.layers);
      const matches = ofFile.flatMap((rule) => judge(rule, signals, signals)).map((each) => matchOf(each, placeOf(each.signal), placeOf));
      return { matches, facts: factsOf(file, text, seen, placeOf, ofUnit), gaps: seen.gaps };
    },
    project: (project: Project) => overUnits(project, ofUnit, pack),
  };
}
