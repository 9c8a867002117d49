import type { Finding, Severity } from "@plastron/contracts";
import { decisive } from "../../findings/cvss.ts";
import { gravest } from "../../findings/precedence.ts";
import { plain } from "./places.ts";

/** GitHub keeps ten of them and refuses more than twenty. */
const MOST_TAGS = 20;
/** GitHub reads over 9 as critical, from 7 as high, from 4 as medium: for what has no CVSS score. */
const POINTS: Record<Severity, string> = { critical: "9.5", high: "8.0", medium: "5.5", low: "2.5", info: "0.0" };

export interface SarifRule {
  id: string;
  [property: string]: unknown;
}

/** What each rule is, told by its findings: a rule is in a log when it said something. */
export function rulesOf(findings: readonly Finding[]): SarifRule[] {
  return [...Map.groupBy(findings, ({ rule }) => rule)].map(([id, group]) => ruleOf(id, group));
}

function ruleOf(id: string, group: readonly Finding[]): SarifRule {
  const first = group[0] as Finding;
  const severity = gravest(group.map((finding) => finding.severity));
  const scores = group.flatMap(({ cvss }) => decisive(cvss)?.score ?? []);
  const cwe = [...new Set(group.flatMap((finding) => finding.cwe))].sort((a, b) => a - b);
  const reference = first.references.find((each) => /^https:\/\/[\w.-]+\.[a-z]{2,}(\/[\w./?=&%#-]*)?$/i.test(each));
  return {
    id,
    name: nameOf(id),
    shortDescription: { text: plain(first.package ? titleOfAdvisories(group) : first.title) },
    fullDescription: { text: plain(first.message).slice(0, 1000) },
    help: { text: plain(`${first.message}\n\nWhat to do: ${first.fix.text}`) },
    ...(reference ? { helpUri: reference } : {}),
    defaultConfiguration: { level: levelOf(severity) },
    properties: {
      tags: ["security", first.analyser, first.verdict, ...cwe.map((number) => `external/cwe/cwe-${String(number).padStart(3, "0")}`)].slice(0, MOST_TAGS),
      precision: first.confidence,
      "security-severity": scores.length > 0 ? Math.max(...scores).toFixed(1) : POINTS[severity],
      "problem.severity": levelOf(severity) === "note" ? "recommendation" : levelOf(severity),
    },
  };
}

/** One rule speaks for every advisory: its name cannot be one of them. */
const titleOfAdvisories = (group: readonly Finding[]): string =>
  group.length === 1 ? (group[0] as Finding).title : "A dependency with a published vulnerability";

export function levelOf(severity: Severity): "error" | "warning" | "note" {
  return severity === "critical" || severity === "high" ? "error" : severity === "medium" ? "warning" : "note";
}

/** `code/javascript/command-injection` → `CommandInjection`, for readers that show a name. */
function nameOf(id: string): string {
  const words = (id.split("/").at(-1) ?? id).split(/[^A-Za-z0-9]+/).filter(Boolean);
  return words.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("") || "Rule";
}
