import type { Approvals, Place } from "@plastron/contracts";
import { fileKey, type Look, type LookGap, type Project, type ScanFile } from "../analyser.ts";
import { annotatedIn } from "./capability/annotated.ts";
import type { Said } from "./capability/claim.ts";
import { differences, doneBy, MAX_DIFFERENCES, TESTS } from "./capability/compare.ts";
import { declaredIn } from "./capability/declared.ts";
import { usesIn } from "./capability/uses.ts";
import { approvalsIn, hashesOf, namedOffers } from "./config/approvals.ts";
import { type Offer, offersOf } from "./config/catalog.ts";
import { MAX_COMPARED, offerMatches } from "./config/offers.ts";
import { judgeAll, MAX_OF_A_RULE, Signals } from "./judge.ts";
import type { Seen } from "./look.ts";
import { Neighbours } from "./neighbours.ts";
import type { Pack } from "./pack.ts";
import { matchOf } from "./report.ts";
import type { AgentRule } from "./rule.ts";
import type { Signal } from "./signal.ts";

/** A signal that can still tell its place when its file is gone. */
export type PlacedSignal = Signal & { readonly place: Place };

/** What one file leaves for the look over all. */
export interface AgentFacts extends Said {
  readonly signals: readonly PlacedSignal[];
  readonly offers: readonly Offer[];
  readonly approvals: Approvals | null;
}

const MAX_SIGNALS = 400;
/** Files that say: here begins a thing of its own. */
const ROOTS = /(?:^|\/)(?:SKILL\.md|manifest\.ya?ml|package\.json|pyproject\.toml)$/i;

/** Only signals that rules over units ask for are kept. `gaps`: what would not fit. */
export function factsOf(
  file: ScanFile,
  text: string,
  { signals, offered }: Seen,
  placeOf: (span: Pick<Signal, "start" | "end" | "layers">) => Place,
  rules: readonly AgentRule[],
  pack: Pack,
): { facts: AgentFacts | null; gaps: LookGap[] } {
  const asked = askedBy(rules);
  const wanted = signals.filter((signal) => asked.has(signal.name));
  const kept = wanted.slice(0, MAX_SIGNALS);
  const at = (start: number, end: number) => placeOf({ start, end, layers: [] });
  const { offers, more } = offersOf(file, offered, text, pack, at);
  const said: Said = { claims: declaredIn(file, offered, text, at), uses: usesIn(file, text, at), tools: annotatedIn(file, text, at) };
  const approvals = approvalsIn(file.path, text);
  const gaps = [
    ...(wanted.length > kept.length ? [tooMany(`${wanted.length} things of note: the first ${MAX_SIGNALS} were held against other files`)] : []),
    ...(more ? [tooMany(`more tools than the first ${offers.length} that were looked at`)] : []),
  ];
  const silent = kept.length === 0 && offers.length === 0 && !approvals && Object.values(said).every((each) => each.length === 0);
  return { facts: silent ? null : { signals: kept.map((signal) => ({ ...signal, place: placeOf(signal) })), offers, approvals, ...said }, gaps };
}

/** Of these rules there was more than is told. */
export function floods(rules: Iterable<string>): LookGap[] {
  return [...rules].map((rule) => tooMany(`${rule} fits more than ${MAX_OF_A_RULE} places: the gravest were told`));
}

/** Something was cut: a flood must not hide what stands behind it. */
export function tooMany(detail: string): LookGap {
  return { kind: "degraded", reason: "too_many", detail, matters: true };
}

function askedBy(rules: readonly AgentRule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap((rule) => rule.grades.flatMap((grade) => [grade.signal, ...grade.near.flatMap(({ any, all, none }) => [...any, ...all, ...none])].flat())),
  );
}

/** More program files than that are no skill or server, but a product: only those of its parts that import each other know of each other. */
const MAX_OF_UNIT = 40;

/** Rules whose evidence lies in several files of one skill, plugin or package. */
export function overUnits(project: Project, rules: readonly AgentRule[], pack: Pack, given: Approvals | null): Look<null> {
  const facts = project.facts<AgentFacts>("agentware");
  const unitOf = unitsOf(project);
  const known = new Map(withAbilities(facts, project));
  const around = aroundOf(known, project, unitOf);
  const flooded = new Set<string>();
  const matches = [...Map.groupBy(known, ([key]) => unitOf(key))].flatMap(([root, files]) => {
    // Blocks of different files are never near each other.
    const all = [...files, ...around(root, files)].flatMap(([, { signals }], i) => signals.map((signal) => ({ ...signal, block: signal.block + i * APART })));
    const unit = new Signals(all);
    return [...Map.groupBy(all, ({ block }) => Math.floor((block + 1) / APART))]
      .filter(([file]) => file < files.length)
      .flatMap(([, own]) => {
        const said = judgeAll(rules, new Signals(own), unit);
        for (const rule of said.flooded) flooded.add(rule);
        return said.judgements;
      })
      .map((each) => matchOf(each, (each.signal as PlacedSignal).place, (signal) => (signal as PlacedSignal).place));
  });
  const offers = namedOffers([...facts].map(([key, fact]) => [key, fact.offers] as const));
  const found = offerMatches(offers, given ?? approvalsFor(project, facts), pack.rules, project);
  const less = differences(facts, project, unitOf, pack.rules);
  const gaps = [
    ...floods(flooded),
    ...(less.length > MAX_DIFFERENCES ? [tooMany(`more than ${MAX_DIFFERENCES} differences between what is declared and what is done`)] : []),
    ...(offers.length > MAX_COMPARED ? [tooMany(`${offers.length} tools and skills: ${MAX_COMPARED} were held against each other`)] : []),
  ];
  return { matches: [...matches, ...found, ...less.slice(0, MAX_DIFFERENCES)], facts: null, gaps, ...(offers.length > 0 ? { offers: hashesOf(offers) } : {}) };
}

function approvalsFor({ approvals }: Project, facts: ReadonlyMap<string, AgentFacts>): Approvals | null {
  return approvals === undefined ? ([...facts.values()].find((fact) => fact.approvals)?.approvals ?? null) : approvals;
}

/** What hangs together with a file that is a unit of its own, as its package is a large one. */
function aroundOf(
  known: ReadonlyMap<string, AgentFacts>,
  project: Project,
  unitOf: (key: string) => string,
): (root: string, files: readonly (readonly [string, AgentFacts])[]) => [string, AgentFacts][] {
  let neighbours: Neighbours | null = null;
  return (root, files) => {
    const [key, own] = files.length === 1 ? (files[0] as readonly [string, AgentFacts]) : ["", SILENT];
    if (key === "" || root !== key || own.signals.length === 0) return [];
    neighbours ??= new Neighbours(project);
    const hooks = own.signals.filter(({ name }) => name === "install-hook").map(({ detail }) => detail);
    const keys = [...neighbours.of(key), ...hooks.flatMap((command) => [...(neighbours as Neighbours).started(folderOf(key), command)])];
    return [...new Set(keys)].flatMap((other): [string, AgentFacts][] => {
      const said = other === key || unitOf(other) !== other ? undefined : known.get(other);
      return said ? [[other, said]] : [];
    });
  };
}

/** What the code analyser saw a file do is a signal like others: an outline tells more of a program than its texts. */
function withAbilities(facts: ReadonlyMap<string, AgentFacts>, project: Project): [string, AgentFacts][] {
  const all = new Map(facts);
  for (const [key, done] of doneBy(facts, project)) {
    const known = all.get(key) ?? SILENT;
    if (TESTS.test(key)) continue;
    const signals = done.slice(0, 60).map(
      ({ capability, what, place }): PlacedSignal => ({
        ...{ name: `uses-${capability}`, stance: "told", surface: "program", hidden: null, start: place.line, end: place.line + 1 },
        ...{ layers: [], detail: what, block: -1, traits: [], place },
      }),
    );
    all.set(key, { ...known, signals: [...known.signals, ...signals] });
  }
  return [...all];
}

const SILENT: AgentFacts = { signals: [], offers: [], approvals: null, claims: [], uses: [], tools: [] };

const APART = 10_000_000;

/** A file's unit: the innermost folder with a manifest of its own. Of large ones each file is its own, with what hangs together with it (neighbours.ts). */
function unitsOf({ files }: Project): (key: string) => string {
  const roots = [...new Set(files.filter(({ path }) => ROOTS.test(path)).map((file) => folderOf(fileKey(file))))].sort((a, b) => b.length - a.length);
  const byFolder = new Map<string, string>();
  const rootOf = (key: string): string => {
    const folder = folderOf(key);
    const known = byFolder.get(folder) ?? roots.find((root) => root === "" || folder === root || folder.startsWith(`${root}/`)) ?? "";
    byFolder.set(folder, known);
    return known;
  };
  const sizes = new Map<string, number>();
  for (const file of files) if (PROGRAM.has(file.language)) sizes.set(rootOf(fileKey(file)), (sizes.get(rootOf(fileKey(file))) ?? 0) + 1);
  return (key) => {
    const root = rootOf(key);
    return (sizes.get(root) ?? 0) > MAX_OF_UNIT ? key : root;
  };
}

const PROGRAM = new Set(["javascript", "typescript", "python", "shell"]);

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
