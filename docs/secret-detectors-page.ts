/** docs/reference/secret-detectors.md, from the rules themselves (rules/secrets). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

interface Detector {
  id: string;
  provider: string;
  title: string;
  severity: string;
  confidence?: string;
  checks?: string[];
  generic?: boolean;
  verify?: string;
}
interface Verifier {
  id: string;
  provider: string;
  method: string;
  url: string;
  note?: string;
}

const RULES = join(import.meta.dirname, "../rules/secrets");

export function secretDetectorLines(): string[] {
  const files = readdirSync(RULES)
    .filter((name) => name.endsWith(".yaml"))
    .sort();
  const texts = files.map((name) => readFileSync(join(RULES, name), "utf8"));
  const documents = texts.map((text) => parse(text) as { detectors?: Detector[]; verifiers?: Verifier[] });
  const detectors = documents.flatMap((document) => document.detectors ?? []);
  const verifiers = documents.flatMap((document) => document.verifiers ?? []);
  return [
    `${detectors.length} detectors of ${new Set(detectors.map(({ provider }) => provider)).size} providers and formats. A finding's rule is \`secrets/\` and the id. What they do, and how to add one:`,
    "[find secrets](../guides/find-secrets.md).",
    "",
    "*checked by*: what must hold beyond the pattern: a checksum, a structure, a shape that chance does not make. *asked*: whether its provider can be asked if it still works.",
    "",
    ...documents.flatMap((document, index) => (document.detectors ? section(files[index] as string, texts[index] as string, document.detectors) : [])),
    "## Who can be asked",
    "",
    "Only with `--verify-secrets`. Each request asks for what changes nothing, and goes to that host alone.",
    "",
    "| name | provider | request | |",
    "| --- | --- | --- | --- |",
    ...verifiers.map(({ id, provider, method, url, note }) => `| \`${id}\` | ${provider} | \`${method} ${url}\` | ${note ?? ""} |`),
  ];
}

function section(file: string, text: string, detectors: readonly Detector[]): string[] {
  return [
    `## ${file.replace(".yaml", "").replaceAll("-", " ")}`,
    "",
    (/^# (.*)$/m.exec(text)?.[1] ?? "").trim(),
    "",
    "| id | provider | what | severity | checked by | asked |",
    "| --- | --- | --- | --- | --- | --- |",
    ...detectors.map(({ id, provider, title, severity, checks = [], verify }) => {
      return `| \`${id}\` | ${provider} | ${title.replaceAll("|", "\\|")} | ${severity} | ${checks.map((each) => each.replaceAll("_", " ")).join(", ")} | ${verify ? "yes" : ""} |`;
    }),
    "",
  ];
}
