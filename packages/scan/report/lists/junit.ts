import { ANALYSERS, type AnalyserName, type Finding, type Gap, type ScanResult } from "@plastron/contracts";
import { lastingKey, placeWords } from "../../findings/places.ts";
import { ANALYSER_WORDS } from "../words.ts";
import { xml } from "./escape.ts";

/**
 * JUnit XML, as test reporters of CI servers read it: a suite an analyser. An open finding failed, an exempted one was skipped, what was not
 * looked at is an error, and an analyser that has nothing to say passed one test: that it looked.
 */
export function renderJunit(result: ScanResult): string {
  const names = ANALYSERS.filter(
    (name) => result.coverage.analysers[name] || result.findings.some(({ analyser }) => analyser === name) || gapsOf(result, name).length > 0,
  );
  const suites = [...names.map((name) => suite(name, result)), ...intakeSuite(result)];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="Plastron" time="${(result.ms / 1000).toFixed(3)}">\n${suites.join("")}</testsuites>\n`;
}

const gapsOf = ({ coverage }: ScanResult, name: Gap["analyser"]): Gap[] => coverage.gaps.filter(({ analyser, matters }) => matters && analyser === name);

function suite(name: AnalyserName, result: ScanResult): string {
  const findings = result.findings.filter(({ analyser }) => analyser === name);
  const gaps = gapsOf(result, name);
  const looked = findings.length + gaps.length === 0 ? [testcase(`plastron.${name}`, `looked for ${ANALYSER_WORDS[name]}`, "", "")] : [];
  return suiteOf(name, [...findings.map(caseOf), ...gaps.map(caseOfGap), ...looked], findings, gaps.length, result);
}

function intakeSuite(result: ScanResult): string[] {
  const gaps = gapsOf(result, "intake");
  const silent = result.status === "incomplete" && !result.coverage.gaps.some(({ matters }) => matters);
  const cases = [
    ...gaps.map(caseOfGap),
    ...(silent ? [testcase("plastron.scan", "the scan is complete", "", '<error message="the scan is incomplete"/>')] : []),
  ];
  return cases.length === 0 ? [] : [suiteOf("intake", cases, [], cases.length, result)];
}

function suiteOf(name: string, cases: readonly string[], findings: readonly Finding[], errors: number, result: ScanResult): string {
  const failures = findings.filter(({ state }) => state === "open").length;
  const counts = `tests="${cases.length}" failures="${failures}" errors="${errors}" skipped="${findings.length - failures}"`;
  return `  <testsuite name="plastron ${xml(name)}" ${counts} timestamp="${xml(result.started_at)}">\n${cases.join("")}  </testsuite>\n`;
}

function caseOf(finding: Finding): string {
  const { title, place, severity, message, priority, fix, state, exemption, rule, fingerprint } = finding;
  const where = `${placeWords(place)}:${place.line}:${place.column}`;
  const text = `${message}\n\nWhere: ${where}\nWhy: ${priority.words}\nWhat to do: ${fix.text}\nFingerprint: ${fingerprint}`;
  const body =
    state === "open"
      ? `<failure type="${xml(severity)}" message="${xml(`${title} at ${where}`)}">${xml(text)}</failure>`
      : `<skipped message="${xml(`exempted by ${exemption?.approver} until ${exemption?.expires}: ${exemption?.reason}`)}"/>`;
  return testcase(`plastron.${rule}`, `${title} at ${where}`, lastingKey(place), body);
}

function caseOfGap(gap: Gap): string {
  const message = `${gap.kind}: ${gap.detail || gap.reason}`;
  return testcase(
    `plastron.${gap.analyser}`,
    `looked at ${gap.path || "everything"}`,
    gap.path,
    `<error type="${xml(gap.reason)}" message="${xml(message)}"/>`,
  );
}

function testcase(className: string, name: string, file: string, body: string): string {
  const at = file === "" ? "" : ` file="${xml(file)}"`;
  return `    <testcase classname="${xml(className.replaceAll("/", "."))}" name="${xml(name)}"${at}>${body}</testcase>\n`;
}
