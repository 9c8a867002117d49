import type { MatchInput } from "@plastron/contracts";
import type { Analyser, FileHead, Look, LookGap, Project, ScanFile } from "../analyser.ts";
import type { CodeFacts } from "../outline.ts";
import { IndexDamaged } from "./advisories/index-format.ts";
import type { AdvisoryIndex } from "./advisories/open.ts";
import { lockChecks } from "./checks/lock.ts";
import { examine } from "./examine.ts";
import { type DependencyFacts, Unreadable } from "./facts.ts";
import { leansOn } from "./lean.ts";
import { readerOf } from "./readers/choose.ts";
import { notRead } from "./readers/not-read.ts";
import { writeSbom } from "./sbom/write.ts";
import { versionUnder } from "./version.ts";

/** A lock file longer than this is not read: the longest honest ones have a tenth of it. */
const LONGEST = 128 * 2 ** 20;

/** Says what is known to be wrong with what an artifact depends on. The index is a value; nothing is fetched. */
export function createDependencies(index: AdvisoryIndex): Analyser<DependencyFacts> {
  return {
    name: "dependencies",
    version: versionUnder(index),
    wants,
    file,
    project: (project) => projectLook(project, index),
    leansOn,
  };
}

function wants(file: FileHead): boolean {
  return readerOf(file.path) !== undefined && !file.layers.some((layer) => layer.startsWith("commit:"));
}

function file(file: ScanFile): Look<DependencyFacts> {
  const read = readerOf(file.path);
  if (read === undefined) return { matches: [], facts: null, gaps: [] };
  if (file.text === null && notRead(file.path) === undefined) return nothing("encoding", "it is not text");
  const text = file.text ?? "";
  if (text.length > LONGEST) return nothing("too_large", `it has more than ${LONGEST / 2 ** 20} million characters`);
  try {
    const { listings, modules, gaps } = read(text, file.path);
    return {
      matches: listings.flatMap((listing) => lockChecks(file, listing)),
      facts: listings.length === 0 && modules === undefined ? null : { listings, ...(modules === undefined ? {} : { modules }) },
      gaps: gaps.map(({ reason, detail, matters }) => ({ kind: "degraded", reason, detail, matters })),
    };
  } catch (error) {
    if (error instanceof Unreadable) return nothing(error.reason, error.message);
    // A reader met what its author did not think of: the file was not read, and that is what is said.
    return nothing("unreadable", error instanceof RangeError ? "it is nested too deeply" : `it could not be read: ${(error as Error).message.slice(0, 200)}`);
  }
}

function nothing(reason: string, detail: string): Look<DependencyFacts> {
  return { matches: [], facts: null, gaps: [{ kind: "degraded", reason, detail, matters: true }] };
}

function projectLook(project: Project, index: AdvisoryIndex): Look<null> {
  const facts = project.facts<DependencyFacts>("dependencies");
  if (facts.size === 0) return { matches: [], facts: null, gaps: [] };
  const gaps: LookGap[] = [];
  let matches: readonly MatchInput[] = [];
  try {
    if (index.damage) throw index.damage;
    const examined = examine(facts, project.facts<CodeFacts>("code"), index);
    matches = examined.matches;
    gaps.push(...examined.gaps);
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw error;
    gaps.push({
      kind: "failed",
      reason: `advisories_${error.reason}`,
      detail: `${error.message}; run \`plastron advisories verify\``,
      matters: true,
      path: "",
    });
  }
  return { matches, facts: null, gaps, sbom: writeSbom(facts) };
}
