import { type Finding, SEVERITIES } from "@plastron/contracts";
import { sharesAdvisory } from "../advisories.ts";
import { meantText } from "../meant.ts";
import { placeKey, rulesOf } from "../places.ts";
import { assign } from "./assign.ts";
import { bare } from "./bare.ts";
import { type Move, movedPath } from "./moves.ts";

export type { Move } from "./moves.ts";
export { movesOf } from "./moves.ts";

/** How a finding was known again, and how sure that is. */
export type Kinship = "same" | "renamed" | "moved_within" | "moved_between";
export interface Pair {
  readonly base: Finding;
  readonly head: Finding;
  readonly how: Kinship;
  /** Between 0 and 1. Below 0.9 a finding keeps its place among what is known, but no exemption that names its old fingerprint follows it. */
  readonly confidence: number;
  /** It was there, but it is graver or more urgent than it was: to be counted as new. */
  readonly worse: boolean;
}
export interface Reconciled {
  readonly pairs: Pair[];
  /** In the head alone: new. */
  readonly fresh: Finding[];
  /** In the base alone: ended. */
  readonly gone: Finding[];
}

interface Pass {
  readonly how: Kinship;
  readonly confidence: number;
  /** Findings are compared with those that have an equal key; null is compared with none. */
  key(finding: Finding, moves: readonly Move[] | null): string | null;
  /** What else must hold; left out, equal keys are enough. */
  fits?(base: Finding, head: Finding): boolean;
}

/** Code that says too little to be known again by itself: `eval(x)` stands anywhere. */
const TELLING = 16;
const TELLING_ANYWHERE = 24;

/**
 * The surest first; what one pass has paired no later one sees. Each base finding stands for one head finding at most, in every pass:
 * a second instance of something known is always left over, and left over is new. Code that was edited, and not only moved or formatted, is
 * new as well: a weak line that replaces a repaired one must not pass for it.
 */
const PASSES: readonly Pass[] = [
  { how: "same", confidence: 1, key: ({ fingerprint }) => fingerprint },
  { how: "renamed", confidence: 0.97, key: (finding, moves) => codeKey(finding, movedPath(placeKey(finding.place), moves)) },
  { how: "moved_within", confidence: 0.95, key: (finding) => codeKey(finding, placeKey(finding.place)) },
  { how: "renamed", confidence: 0.93, key: (finding, moves) => meantKey(finding, movedPath(placeKey(finding.place), moves)) },
  { how: "moved_within", confidence: 0.92, key: (finding) => meantKey(finding, placeKey(finding.place)) },
  { how: "same", confidence: 0.95, key: (finding) => packageKey(finding), fits: (base, head) => sharesAdvisory([base], head) },
  { how: "moved_between", confidence: 0.9, key: ({ secret }) => secret && `${secret.detector}\n${secret.digest}` },
  { how: "moved_between", confidence: 0.8, key: (finding) => (bare(finding.place.snippet).length < TELLING ? null : codeKey(finding, "")) },
  { how: "moved_between", confidence: 0.75, key: (finding) => meantKey(finding, "", TELLING_ANYWHERE) },
];

/**
 * Which findings of a change stood at its base already, wherever their lines, functions and files went. `moves` are the files that were
 * renamed between the two (git tells, or `movesOf`).
 */
export function reconcile(base: readonly Finding[], head: readonly Finding[], moves: readonly Move[] = []): Reconciled {
  const pairs: Pair[] = [];
  let gone: readonly Finding[] = base;
  let fresh: readonly Finding[] = head;
  for (const { how, confidence, key, fits } of PASSES) {
    if (gone.length === 0 || fresh.length === 0) break;
    const found = assign(
      gone,
      fresh,
      (finding) => key(finding, moves),
      (finding) => key(finding, null),
      (a, b) => kin(a, b) && (fits?.(a, b) ?? true),
    );
    pairs.push(...found.map(([before, after]) => ({ base: before, head: after, how, confidence, worse: isWorse(before, after) })));
    const [known, old] = [new Set(found.map(([, after]) => after)), new Set(found.map(([before]) => before))];
    fresh = fresh.filter((finding) => !known.has(finding));
    gone = gone.filter((finding) => !old.has(finding));
  }
  return { pairs, fresh: [...fresh], gone: [...gone] };
}

/** Fingerprints of the head's findings that do not count as new. */
export function knownAt({ pairs }: Reconciled): Set<string> {
  return new Set(pairs.filter(({ worse }) => !worse).map(({ head }) => head.fingerprint));
}

/** The head's fingerprint → the one under which it was known, where that is sure enough for an exemption to follow it. */
export function identitiesOf({ pairs }: Reconciled): Map<string, string> {
  return new Map(pairs.filter(({ confidence, worse }) => confidence >= 0.9 && !worse).map(({ base, head }) => [head.fingerprint, base.fingerprint]));
}

/** What is about a text as such is another thing where the text is another, though it stands in the same place. The message holds its hash. */
const APPROVAL = ["agentware/changed-since-approval", "agentware/not-approved"];

/** Of one kind at all: a rule in common, and neither harm nor a working secret where there was a mistake. */
function kin(base: Finding, head: Finding): boolean {
  if (base.verdict !== head.verdict) return false;
  if (base.package && head.package) return true;
  const rules = new Set(rulesOf(base));
  if (APPROVAL.some((rule) => rules.has(rule)) && base.message !== head.message) return false;
  return rulesOf(head).some((rule) => rules.has(rule));
}

const LEVELS = ["now", "soon", "plan", "note"];
function isWorse(base: Finding, head: Finding): boolean {
  if (SEVERITIES.indexOf(head.severity) < SEVERITIES.indexOf(base.severity)) return true;
  if (head.secret?.state === "live" && base.secret?.state !== "live") return true;
  return LEVELS.indexOf(head.priority.level) < LEVELS.indexOf(base.priority.level) && head.place.path !== base.place.path;
}

/** Not of secrets: with what is secret cut out, all of one kind look alike. They are known by their digest. */
function codeKey(finding: Finding, path: string | null): string | null {
  const text = bare(finding.place.snippet);
  return path === null || text === "" || finding.package || finding.secret ? null : `${path}\n${text}`;
}

function meantKey({ place, package: affected, secret }: Finding, path: string | null, least = TELLING): string | null {
  const text = bare(meantText(place));
  return path === null || text.length < least || affected || secret ? null : `${path}\n${text}`;
}

function packageKey({ package: affected, place }: Finding): string | null {
  return affected && `${affected.ecosystem}\n${affected.name}\n${placeKey(place)}`;
}
