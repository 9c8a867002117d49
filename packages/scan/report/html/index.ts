import { createHash } from "node:crypto";
import { ANALYSERS, type Finding, type ScanResult, SEVERITIES } from "@plastron/contracts";
import { count, duration, LEVEL_MEANING, LEVEL_WORDS, LEVELS, size, verdictOf } from "../words.ts";
import { coverageOf } from "./coverage.ts";
import { findingOf } from "./finding.ts";
import { html, Markup } from "./markup.ts";
import { overviewOf } from "./overview.ts";
import { SCRIPT } from "./script.data.ts";
import { STYLE } from "./style.data.ts";

/** So many are open when the page is: a reader should see at once what a finding looks like. */
const OPEN = 3;

/**
 * One page that needs nothing else: no address is fetched, and its policy lets no script but its own run. Everything is there without
 * scripts; with them it can be filtered. All text of the artifact goes through `html`, as text.
 */
export function renderHtml(result: ScanResult, { version = "" }: { version?: string } = {}): string {
  const verdict = verdictOf(result);
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">
<title>${verdict.headline}: ${result.artifact.name}</title>
<style>${new Markup(STYLE)}</style></head>
<body>
${head(result, version)}
<main>
<div class="verdict ${verdict.kind}" role="status"><b>${verdict.headline}</b><span>${verdict.detail}</span></div>
${overviewOf(result)}
${filters(result)}
<section id="list" aria-label="Findings">${listed(result.findings)}<p id="none" hidden>Nothing fits these filters.</p></section>
${coverageOf(result)}
</main>
<footer>${result.artifact.kind} <code>${result.artifact.digest}</code> · scanned ${result.started_at.replace("T", " ").slice(0, 16)} UTC by Plastron ${version}</footer>
<dialog id="keys"><h2>Keys</h2><dl><dt><kbd>/</kbd></dt><dd>search</dd><dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next, previous finding</dd><dt><kbd>o</kbd></dt><dd>open or close it</dd><dt><kbd>a</kbd></dt><dd>open or close all that are shown</dd><dt><kbd>x</kbd></dt><dd>no filters</dd><dt><kbd>t</kbd></dt><dd>light or dark</dd></dl><form method="dialog"><button>Close</button></form></dialog>
<script>${new Markup(SCRIPT)}</script>
</body></html>
`;
  return page.text;
}

/** Nothing but the one style and the one script of this page, known by their hashes. */
function policy(): string {
  const hash = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return `default-src 'none'; style-src ${hash(STYLE)}; script-src ${hash(SCRIPT)}; base-uri 'none'; form-action 'none'`;
}

function head({ artifact, coverage, ms }: ScanResult, version: string): Markup {
  const facts = [artifact.kind, artifact.revision ?? "", count(coverage.files, "file"), size(coverage.bytes), duration(ms)].filter(Boolean).join(" · ");
  return html`<header><div class="brand" title="Plastron ${version}"><svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2 4 5v6.5c0 4.9 3.3 8.6 8 10.5 4.7-1.9 8-5.6 8-10.5V5z"/><path class="in" d="M12 6.2v11.6M7.5 9.5h9M8.2 13.8h7.6"/></svg>Plastron</div><div class="what"><h1>${artifact.name}</h1><p>${facts}</p></div><div class="tools"><button type="button" id="theme" title="light or dark (t)">◐</button><button type="button" id="help" title="keys (?)">?</button></div></header>`;
}

function filters({ findings }: ScanResult): Markup {
  const chips = (key: string, values: readonly string[]) =>
    values.map((value) => html`<label class="chip ${value}"><input type="checkbox" data-f="${key}" value="${value}">${value}</label>`);
  const used = ANALYSERS.filter((name) => findings.some(({ analyser }) => analyser === name));
  return html`<form id="filters" role="search"><input type="search" id="q" placeholder="Search words, rules, paths   /" aria-label="Search" autocomplete="off" spellcheck="false">
<span class="gr">${chips("s", SEVERITIES)}</span><span class="gr">${chips("p", LEVELS)}</span><span class="gr">${chips("a", used)}</span>
<span class="gr"><select id="t" aria-label="State"><option value="">open and exempted</option><option value="open" selected>open</option><option value="exempted">exempted</option></select></span>
<button type="button" id="path" hidden></button><output id="n"></output><button type="button" id="clear" hidden>No filters</button></form>`;
}

function listed(findings: readonly Finding[]): Markup[] {
  return LEVELS.flatMap((level) => {
    const here = findings.filter(({ priority }) => priority.level === level);
    if (here.length === 0) return [];
    return [
      html`<section class="lvl" data-l="${level}"><h2 class="${level}">${LEVEL_WORDS[level]} <small>${LEVEL_MEANING[level]}</small> <span class="cnt">${here.length.toLocaleString("en")}</span></h2>${here.map((finding, at) => findingOf(finding, at < OPEN && level === "now"))}</section>`,
    ];
  });
}
