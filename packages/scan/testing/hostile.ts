import type { Finding, ScanResult } from "@plastron/contracts";
import fc from "fast-check";
import { findingsOf } from "../findings/index.ts";
import { matchOf, resultOf } from "./result.ts";

/** What an artifact may call its files and write into them, to be more than text in somebody's report. */
export const PAYLOADS = [
  '</script><script>document.title="pwned"</script>',
  '"><img src=x onerror=document.title="pwned">',
  "' onmouseover='document.title=1' x='",
  "<svg onload=document.title=1>",
  "</style><base href=//evil.example/>",
  "]]><x/>&lol;<!--",
  "-->",
  "<?php ?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>",
  "\u0000\u0007\u001b[31mred\u001b]8;;https://evil.example\u0007link",
  "\u009b2J",
  "a\u202eb\u2066c\u200bd\u{e0041}e\ufe0f\u{e0100}",
  "\ud800 lone \udfff",
  "\ufffe\uffff",
  "line\u2028sep\u2029\u0085end",
  "\r\n::error::taken\n::set-output name=a::b",
  "%0A::error::x, a=b: c",
  "[click](javascript:alert(1)) ](x",
  "javascript:alert(1)",
  "https://ok.example/\"onclick='x",
  "../../../../etc/passwd",
  "//evil.example/a",
  "/absolute",
  "C:\\windows\\x",
  "__proto__",
  "{{constructor.constructor('x')()}} ${7*7} {0}",
  "e\u0301".repeat(3) + "\u0301".repeat(60),
  "漢字🚀".repeat(4),
  "x".repeat(300),
];

export const hostileText = fc.oneof(
  fc.constantFrom(...PAYLOADS),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.tuple(fc.constantFrom(...PAYLOADS), fc.constantFrom(...PAYLOADS)).map(([a, b]) => a + b),
);

/** A result with this text wherever an artifact's text can come to stand. */
export function resultSaying(text: string, count = 3): ScanResult {
  const findings = findingsOf(Array.from({ length: count }, (_, at) => matchSaying(text, at))).findings;
  const exempted: Finding[] = findings.map((finding, at) => {
    const exemption = { id: text, reason: text, approver: text, expires: "2026-05-01", status: "accepted" as const, justification: null };
    return at === 0 ? { ...finding, state: "exempted" as const, exemption, also: [{ rule: text, analyser: "code" as const }] } : finding;
  });
  const gap = { kind: "failed" as const, analyser: "code" as const, path: text, reason: text, detail: text, matters: true };
  const plain = resultOf(exempted);
  return resultOf(exempted, {
    artifact: { ...plain.artifact, name: text, revision: text },
    status: "incomplete",
    coverage: { ...plain.coverage, gaps: [gap, { ...gap, matters: false }], gaps_total: 2, notes: [text] },
  });
}

function matchSaying(text: string, at: number) {
  const place = { path: text || "a", line: at + 1, column: 2, end_line: at + 1, end_column: 9, snippet: text, layers: at === 2 ? [text] : [] };
  const affected = { purl: text || "pkg:npm/a", ecosystem: text, name: text, version: text, path: [text], direct: true, development: false, fixed: [text] };
  return matchOf({
    ...{ rule: text || "a", title: text.slice(0, 200), message: text, place, anchor: `${at}`, aliases: [text], references: [text, "https://ok.example/a"] },
    fix: { text: text.trim() || "do", edits: [{ path: text || "a", start: 0, end: 1, text }] },
    flow: [
      { ...place, kind: "source", message: text },
      { ...place, kind: "sink", message: text },
    ],
    package: at === 1 ? { ...affected, reachability: "unknown", kev: false, epss: null } : null,
    secret: at === 2 ? { detector: text, provider: text, redacted: text, digest: text, state: "unverified" } : null,
  });
}
