/**
 * Malice aimed at agents, and what makes them easy prey: instructions that override, conceal or persist, hidden text, code that is fetched
 * and run, secrets that leave, tools that pose as others. It reads a document's structure and polarity (language/stance.ts): what forbids an
 * attack, warns of one or quotes one is none. What may do much and says so is authority, never malice.
 */
import { createHash } from "node:crypto";
import type { Approvals } from "@plastron/contracts";
import type { Analyser, FileHead, Language, Look, Project, ScanFile } from "../analyser.ts";
import { describeTree } from "./config/approvals.ts";
import { judgeAll, rulesOf, Signals } from "./judge.ts";
import { seenIn } from "./look.ts";
import { packOf } from "./pack.ts";
import { Places } from "./place.ts";
import { matchOf } from "./report.ts";
import { isOfUnit } from "./rule.ts";
import { type AgentFacts, factsOf, floods, overUnits } from "./units.ts";

export { APPROVALS_FILE } from "./config/approvals.ts";
export { agentRuleSchema } from "./rule.ts";
export type { AgentFacts } from "./units.ts";

/** Number of this code: its answers to equal files change with it. */
const CODE = 2;
const MAX_BYTES = 200_000_000;
const FLOWING: ReadonlySet<Language> = new Set(["markdown", "text", "html", "shell", "dockerfile"]);
const GENERATED = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|pnpm-lock\.yaml|yarn\.lock|[^/]*\.(?:map|svg|lock|snap))$/i;

/** An analyser out of the documents of rules/agentware/ (with lexicon/), parsed from YAML. Throws where one of them is malformed.
 * `approvals`: what was approved before; without it what the project is given counts. */
export function createAgentware(rules: readonly unknown[], approvals: Approvals | null = null): Analyser<AgentFacts> {
  const pack = packOf(rules);
  const ofFile = rulesOf(pack, false, isOfUnit);
  const ofUnit = rulesOf(pack, true, isOfUnit);
  return {
    name: "agentware",
    version: `${CODE}.${pack.digest}${approvals ? `.${createHash("sha256").update(JSON.stringify(approvals)).digest("hex").slice(0, 12)}` : ""}`,
    wants: (file: FileHead) => file.language !== "binary" && file.size < MAX_BYTES && !GENERATED.test(file.path),
    file(file: ScanFile): Look<AgentFacts> {
      const { text } = file;
      if (text === null) return { matches: [], facts: null, gaps: [] };
      const seen = seenIn(file, text, pack);
      const places = new Places(file, text);
      const signals = new Signals(seen.signals, FLOWING.has(file.language));
      const placeOf = (signal: { start: number; end: number; layers: readonly string[] }) => places.of(signal.start, signal.end, signal.layers);
      const { judgements, flooded } = judgeAll(ofFile, signals, signals);
      const matches = judgements.map((each) => matchOf(each, placeOf(each.signal), placeOf));
      const { facts, gaps } = factsOf(file, text, seen, placeOf, ofUnit, pack);
      return { matches, facts, gaps: [...seen.gaps, ...gaps, ...floods(flooded)] };
    },
    project: (project: Project) => overUnits(project, ofUnit, pack, approvals),
  };
}

/** What there is to approve in a tree: the hash of each tool's and skill's description, as `.plastron/approvals.json` keeps them. */
export function describeForApproval(rules: readonly unknown[], tree: Iterable<ScanFile>): Approvals {
  return describeTree(tree, packOf(rules));
}
