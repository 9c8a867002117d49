import type { FlowStep, MatchInput, Place } from "@plastron/contracts";
import type { Project } from "../../analyser.ts";
import type { Ability, CodeFacts } from "../../outline.ts";
import { inWords } from "../hidden/visible.ts";
import type { AgentRule } from "../rule.ts";
import type { AnnotatedTool, Capability, Claim, Lines, Said } from "./claim.ts";

const OF_ABILITY: Partial<Record<Ability["kind"], Capability>> = { network: "network", exec: "exec", write_file: "write" };
const DELETES = /(?:^|\.)(?:rm|rmdir|rmtree|unlink|remove|removedirs|rmSync|unlinkSync|rmdirSync|truncate)$/;
/** A tool of this name changes something, whatever it annotates. */
const CHANGES = /^(?:\w{1,20}[-_.:])?(?:delete|remove|drop|destroy|purge|erase|overwrite|write|send|execute|deploy|transfer|kill)(?:[-_.:]|[A-Z]|$)/;
/** Where code that only looks leaves what it looked at. */
const TEMPORARY = /^(?:\/tmp\/|\/dev\/(?:null|stdout|stderr))|mkdtemp|makedirs|mkdir|[Tt]emp|cache|\.log$/;
/** What does not run where the artifact runs. */
export const TESTS =
  /(?:^|\/)(?:tests?|__tests__|spec|e2e|fixtures?|examples?|benchmarks?|docs?)\/|\.(?:test|spec)\.\w+$|(?:^|\/)(?:test_\w+|conftest)\.py$|(?:^|\/)(?:vite|jest|rollup|webpack|tsup|eslint)[\w.]*\.config\.\w+$/;
/** More of them say no more; that there are more is told. */
export const MAX_DIFFERENCES = 50;

/** Something that code of a unit does, at a place. */
export interface Done {
  readonly capability: Capability;
  readonly what: string;
  readonly place: Place;
}

/**
 * Where what a manifest declares, or a tool annotates of itself, is less than what its code does: all, or some more than `MAX_DIFFERENCES`. `unitOf` gives the
 * files that belong together.
 */
export function differences(facts: ReadonlyMap<string, Said>, project: Project, unitOf: (key: string) => string, rules: readonly AgentRule[]): MatchInput[] {
  const done = doneBy(facts, project);
  const byUnit = Map.groupBy(done, ([key]) => unitOf(key));
  const rule = (name: string) => rules.find(({ id }) => id === `agentware/${name}`);
  const more = rule("more-than-declared");
  const untold = rule("undeclared-need");
  const annotated = rule("tool-annotation");
  const matches: MatchInput[] = [];
  for (const [key, { claims, tools }] of facts) {
    const program = (byUnit.get(unitOf(key)) ?? []).filter(([path]) => !TESTS.test(path)).flatMap(([, each]) => each);
    for (const claim of claims) {
      const found = contradicts(claim, program);
      const by = claim.kind === "refuses" ? more : untold;
      if (found && by) matches.push(difference(by, claim, found));
    }
    const own = done.find(([path]) => path === key)?.[1] ?? [];
    for (const tool of tools) {
      const found = against(tool, own);
      // What a fixed address is to a tool, its own service or a world outside, is a matter of opinion.
      if (found && annotated)
        matches.push({ ...difference(annotated, tool, found, tool.name), ...(found.capability === "network" ? { severity: "low" } : {}) });
      else if (annotated && tool.denies.includes("delete") && CHANGES.test(tool.name))
        matches.push({
          ...difference(annotated, tool, { capability: "write", what: `its name, ${tool.name}`, place: tool.place }, tool.name),
          severity: "low",
        });
    }
    if (matches.length > MAX_DIFFERENCES) break;
  }
  return matches;
}

/** What each file does: of its outline, and of its text. */
export function doneBy(facts: ReadonlyMap<string, Said>, project: Project): [string, Done[]][] {
  const all = new Map<string, Done[]>();
  const add = (key: string, capability: Capability, what: string, line: number): void => {
    const path = key.split("!/").at(-1) as string;
    const place = { path, layers: key.split("!/").slice(0, -1), line, column: 1, end_line: line, end_column: 2, snippet: inWords(what) };
    const known = all.get(key) ?? [];
    known.push({ capability, what: inWords(what, 160), place });
    all.set(key, known);
  };
  for (const [key, { outline }] of project.facts<CodeFacts>("code"))
    for (const { kind, what, target, line } of outline?.abilities ?? []) {
      const capability = OF_ABILITY[kind];
      if (capability) add(key, capability, target === "" ? what : `${what} ${target}`, line);
    }
  for (const [key, { uses }] of facts) for (const { capability, detail, line } of uses) add(key, capability, detail, line);
  return [...all];
}

function contradicts({ denies, names }: Claim, program: readonly Done[]): Done | undefined {
  return program.find(
    ({ capability, what }) =>
      denies.includes(capability) && (capability !== "environment" || !names.includes(what)) && (capability !== "write" || !TEMPORARY.test(what)),
  );
}

/** What a handler and its functions do against its hints. A function that deletes may tidy up after itself; a handler that does is meant. */
function against({ denies, own, called }: AnnotatedTool, done: readonly Done[]): Done | undefined {
  const within = (ranges: readonly Lines[], { line }: Place) => ranges.some(([first, last]) => line >= first && line <= last);
  return done.find(({ capability, what, place }) => {
    const direct = within(own, place);
    if (!direct && !within(called, place)) return false;
    if (capability === "network") return denies.includes("network");
    if (capability !== "write" || TEMPORARY.test(what)) return false;
    return denies.includes("write") || (direct && denies.includes("delete") && DELETES.test(what.split(" ")[0] as string));
  });
}

/** One finding with both places: what was declared, what is done. */
function difference(rule: AgentRule, declared: Pick<Claim, "detail" | "place">, done: Done, tool?: string): MatchInput {
  const { id, title, verdict, severity, confidence, cwe, references, fix } = rule;
  const at = ({ path, line }: Place) => `${path}:${line}`;
  const step = (kind: FlowStep["kind"], message: string, place: Place): MatchInput["flow"] => [{ ...place, kind, message }];
  const does = done.what.startsWith("its name") ? done.what : `${WORDS[done.capability] ?? done.capability}: ${done.what}`;
  return {
    ...{ rule: id, analyser: "agentware", title, verdict, severity, confidence, cwe, references, fix: { text: fix } },
    message: rule.message
      .replaceAll("{detail}", `${tool ? `${inWords(tool, 80)}: ` : ""}${declared.detail} (${at(declared.place)})`)
      .replaceAll("{done}", `${does} (${at(done.place)})`),
    place: declared.place,
    flow: [...(step("source", `declared: ${declared.detail}`, declared.place) ?? []), ...(step("sink", `done: ${does}`, done.place) ?? [])],
    anchor: `${tool ?? ""} ${declared.detail} ${done.capability} ${done.place.path}`,
  };
}

const WORDS: Readonly<Record<string, string>> = {
  network: "goes to the network",
  exec: "starts programs",
  write: "writes files",
  environment: "reads a secret of the environment",
};
