import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { CODE_KINDS, OWN_RULES, type PackTrial, type Rule, readPack, readRuleFolder, tryPack } from "@plastron/scan";
import { parse } from "yaml";
import { usage } from "../failure.ts";
import { showTrial } from "../rules/show.ts";
import { ruleFrom, TEMPLATE_NAMES } from "../rules/template.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { withPacks } from "./rule-packs.ts";

/** Tries a folder of rules, one rule's file, or our own. Exit 1 where any is not valid, finds wrongly, or costs too much. */
export async function testRules(path: string | undefined, flags: { json?: boolean }, terminal: Terminal): Promise<number> {
  const { root, only } = path === undefined ? { root: OWN_RULES, only: undefined } : rootOf(path);
  const own = readRuleFolder(OWN_RULES);
  const files = root === OWN_RULES ? codeAlone(own) : readRuleFolder(root);
  const clock = (): number => process.cpuUsage().user / 1000;
  const trial = tryPack("tried", files, { models: modelsOf([own, files]), clock, ...(only === undefined ? {} : { only }) });
  if (trial.trials.length + trial.faults.length === 0)
    throw usage(`${path ?? root} has no rules`, "Rules lie below code/: `plastron rules new NAME` writes one.");
  if (flags.json) json(terminal, asJson(trial));
  else showTrial(trial, terminal);
  return trial.faults.length > 0 || trial.trials.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

function asJson({ version, faults, trials }: PackTrial): unknown {
  const rules = trials.map(({ rule, examples, failures, cost }) => ({
    id: rule.id,
    file: rule.file,
    examples,
    cost_ms_per_mb: cost,
    budget_ms: rule.budget_ms,
    failures,
  }));
  return { version, rules, faults };
}

/** The root of the pack that a path lies in: of `x/code/python/a.yaml` it is `x`. */
function rootOf(path: string): { root: string; only?: string } {
  const full = resolve(path);
  if (!existsSync(full)) throw usage(`${path} is not there`, "Name a folder of rules, or the file of one.");
  if (statSync(full).isDirectory()) return { root: full };
  const [, root] = /^(.*)\/code\/[^/]+\/[^/]+\.ya?ml$/.exec(full) ?? [];
  if (root === undefined) throw usage(`${path} does not lie in code/LANGUAGE/NAME.yaml`, "A rule's id is its path: put it below a folder code/ of its pack.");
  return { root, only: relative(root, full) };
}

/** Other analysers' rules have tests of their own. */
function codeAlone(files: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...files].filter(([file]) => file.startsWith("code/")));
}

function modelsOf(packs: readonly ReadonlyMap<string, string>[]): unknown[] {
  return packs.flatMap((files) => [...files].filter(([file]) => /^code\/[^/]+\/models\//.test(file)).map(([, text]) => parse(text, { maxAliasCount: 0 })));
}

/** Writes the template of a rule, which passes its own test. */
export async function newRule(name: string, flags: { template: string; directory: string }, terminal: Terminal): Promise<number> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) || name.length > 80)
    throw usage(`${JSON.stringify(name)} is no name of a rule`, "Lower-case words joined by -, as no-legacy-calls.");
  if (!TEMPLATE_NAMES.includes(flags.template)) throw usage(`there is no template ${flags.template}`, `There are ${TEMPLATE_NAMES.join(", ")}.`);
  const { path, text } = ruleFrom(flags.template, name);
  const full = join(resolve(flags.directory), path);
  if (existsSync(full)) throw usage(`${full} is there already`, "Choose another name.");
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text, { flag: "wx" });
  line(terminal.out, full);
  line(terminal.err, `Change it, then: plastron rules test ${flags.directory}`);
  return 0;
}

/** Every rule on code that a scan looks for: our own and those of packs. */
export async function listRules(flags: { home?: string; json?: boolean }, terminal: Terminal): Promise<number> {
  const packs = [{ name: "plastron", folder: OWN_RULES }, ...withPacks(flags.home)];
  const rules = packs.flatMap(({ name, folder }) =>
    readPack(name, codeAlone(readRuleFolder(folder)), CODE_KINDS).pack.rules.map((rule) => ({ pack: name, rule })),
  );
  if (flags.json)
    json(
      terminal,
      rules.map(({ pack, rule }) => shown(pack, rule)),
    );
  else {
    const rows = rules.map(({ pack, rule }) => [rule.id, rule.severity, pack, printable(rule.title)]);
    for (const text of renderTable(["rule", "severity", "pack", "finds"], rows, terminal)) line(terminal.out, text);
  }
  return 0;
}

function shown(pack: string, { id, title, severity, confidence, cwe, languages, kind }: Rule): unknown {
  return { id, pack, kind, title, severity, confidence, cwe, languages };
}
