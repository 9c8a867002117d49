/** docs/reference/agentware-rules.md, from the rules themselves (rules/agentware). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Rule {
  id: string;
  title: string;
  verdict: string;
  severity: string;
  cwe: number[];
  fix: string;
  grades: { verdict?: string; severity?: string; not?: boolean }[];
  references: string[];
}

const RULES = join(import.meta.dirname, "../rules/agentware");
const GRAVEST = ["critical", "high", "medium", "low", "info"];

export function agentwareRuleLines(): string[] {
  const files = readdirSync(RULES)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  const rules = files.map((name) => parse(readFileSync(join(RULES, name), "utf8")) as Rule);
  return [
    `${rules.length} rules. How they judge, and what they do not see: [scan skills, servers and plugins](../guides/agentware.md). Each has examples that it finds and examples that it leaves alone, in`,
    "`rules/agentware/`, which are its tests. One rule can be several verdicts: the same words are graver where nobody sees them, or beside an order to send.",
    "",
    "| rule | what it finds | verdicts | CWE | what to do |",
    "| --- | --- | --- | --- | --- |",
    ...rules.map(
      ({ id, title, cwe, fix, ...rule }) =>
        `| \`${id.replace("agentware/", "")}\` | ${title} | ${verdictsOf(rule)} | ${cwe.join(", ")} | ${fix.replaceAll("|", "\\|").trim()} |`,
    ),
  ];
}

/** `malice (critical, high), weakness (low)`. */
function verdictsOf({ verdict, severity, grades }: Pick<Rule, "verdict" | "severity" | "grades">): string {
  const given = grades.filter(({ not }) => !not).map((grade) => [grade.verdict ?? verdict, grade.severity ?? severity] as const);
  const byVerdict = Map.groupBy(given.length === 0 ? [[verdict, severity] as const] : given, ([name]) => name);
  return [...byVerdict]
    .map(([name, list]) => `${name} (${[...new Set(list.map(([, level]) => level))].sort((a, b) => GRAVEST.indexOf(a) - GRAVEST.indexOf(b)).join(", ")})`)
    .join(", ");
}
