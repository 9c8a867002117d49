import type { Finding, ScanResult } from "@plastron/contracts";
import { notificationsOf } from "./notifications.ts";
import { resultOf } from "./results.ts";
import { rulesOf } from "./rules.ts";

/** What GitHub takes in one upload, and how many of them it shows (https://docs.github.com/code-security, "SARIF support for code scanning"). */
const MOST_RESULTS = 25_000;
/** Flows are what is long, and only these are shown: with more, the file would pass the 10 MB that it may have compressed. */
const MOST_FLOWS = 5_000;
/** Characters of the artifact's own text: it may be made so that nothing compresses it, to have the upload refused. GitHub shows the file itself. */
const MOST_SNIPPETS = 6_000_000;

/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), one run, as GitHub accepts it. The most urgent come first, so that
 * what a reader cuts off is the least. Exempted findings are there, suppressed; what was not looked at is in the notifications, and a scan that is
 * incomplete says that it did not succeed.
 */
export function renderSarif(result: ScanResult, { version = "0" }: { version?: string } = {}): string {
  const findings = result.findings.slice(0, MOST_RESULTS);
  const rules = rulesOf(findings);
  const indexes = new Map(rules.map(({ id }, index) => [id, index]));
  const run = {
    tool: { driver: { name: "Plastron", semanticVersion: semantic(version), rules } },
    invocations: [
      {
        executionSuccessful: result.status === "complete",
        startTimeUtc: result.started_at,
        endTimeUtc: new Date(Date.parse(result.started_at) + result.ms).toISOString(),
        toolExecutionNotifications: notificationsOf(result, result.findings.length - findings.length),
      },
    ],
    originalUriBaseIds: { "%SRCROOT%": { description: { text: "The root of what was scanned." } } },
    columnKind: "utf16CodeUnits",
    automationDetails: { id: "plastron/" },
    properties: { artifact: { ...result.artifact }, status: result.status },
    results: trimmed(findings).map((finding) => resultOf(finding, indexes.get(finding.rule) as number)),
  };
  return `${JSON.stringify({ $schema: "https://json.schemastore.org/sarif-2.1.0.json", version: "2.1.0", runs: [run] })}\n`;
}

/** Whole, as long as GitHub takes that; the least urgent lose their flow first, and then their text. */
function trimmed(findings: readonly Finding[]): Finding[] {
  let left = MOST_SNIPPETS;
  return findings.map((finding, at) => {
    const kept = at < MOST_FLOWS ? finding : withoutFlow(finding);
    left -= [kept.place, ...kept.flow].reduce((sum, { snippet }) => sum + snippet.length, 0);
    return left >= 0 ? kept : withoutSnippets(kept);
  });
}

const withoutSnippets = (finding: Finding): Finding => ({
  ...finding,
  place: { ...finding.place, snippet: "" },
  flow: finding.flow.map((step) => ({ ...step, snippet: "" })),
});
const withoutFlow = (finding: Finding): Finding => ({ ...finding, flow: [] });
const semantic = (version: string): string => (/^\d+\.\d+\.\d+/.test(version) ? version : "0.0.0");
