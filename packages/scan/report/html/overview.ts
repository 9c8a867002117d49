import { ANALYSERS, type Finding, type ScanResult, SEVERITIES } from "@plastron/contracts";
import { ANALYSER_WORDS, count, LEVEL_MEANING, LEVEL_WORDS, LEVELS } from "../words.ts";
import { bar, countsOf, ring, totalOf } from "./chart.ts";
import { directoryOf } from "./directory.ts";
import { html, type Markup } from "./markup.ts";

const MOST_DIRECTORIES = 6;

/** The picture: how urgent, how grave, who found it and where. Each part of it is a filter. */
export function overviewOf(result: ScanResult): Markup {
  const open = result.findings.filter(({ state }) => state === "open");
  return html`<section class="ov" aria-label="Overview">
<div class="tiles">${LEVELS.map((level) => tile(level, open))}</div>
<div class="charts">${severities(open)}${analysers(open, result)}${directories(open)}</div>
</section>`;
}

function tile(level: Finding["priority"]["level"], open: readonly Finding[]): Markup {
  const number = open.filter(({ priority }) => priority.level === level).length;
  return html`<button type="button" class="tile ${level}" data-set="p" data-value="${level}"><b>${number.toLocaleString("en")}</b><span>${LEVEL_WORDS[level]}</span><small>${LEVEL_MEANING[level]}</small></button>`;
}

function severities(open: readonly Finding[]): Markup {
  const counts = countsOf(open);
  const legend = SEVERITIES.map(
    (severity) =>
      html`<li><button type="button" data-set="s" data-value="${severity}"><i class="dot ${severity}"></i>${severity}<b>${counts[severity].toLocaleString("en")}</b></button></li>`,
  );
  return html`<div class="card"><h2>Severity</h2><div class="sv">${ring(counts)}<ul>${legend}</ul></div></div>`;
}

/** With those that found nothing, and those that did not look: these are not the same. */
function analysers(open: readonly Finding[], { coverage }: ScanResult): Markup {
  const counted = ANALYSERS.map((name) => ({ name, counts: countsOf(open.filter(({ analyser }) => analyser === name)) }));
  const greatest = Math.max(1, ...counted.map(({ counts }) => totalOf(counts)));
  const rows = counted.map(({ name, counts }) => {
    const looked = coverage.analysers[name];
    const said = looked ? html`<b>${totalOf(counts).toLocaleString("en")}</b>` : html`<b class="dim">not run</b>`;
    return html`<li><button type="button" data-set="a" data-value="${name}"><span class="nm">${ANALYSER_WORDS[name]}${looked ? html` <small>${count(looked.files, "file")}</small>` : null}</span>${said}${bar(counts, greatest)}</button></li>`;
  });
  return html`<div class="card"><h2>Looked for</h2><ul class="rows">${rows}</ul></div>`;
}

function directories(open: readonly Finding[]): Markup {
  const groups = [...Map.groupBy(open, directoryOf)].map(([name, findings]) => ({
    name,
    counts: countsOf(findings),
    weight: findings.reduce((sum, { priority }) => sum + priority.score, 0),
  }));
  const shown = groups.toSorted((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1)).slice(0, MOST_DIRECTORIES);
  const greatest = Math.max(1, ...shown.map(({ counts }) => totalOf(counts)));
  const rows = shown.map(
    ({ name, counts }) =>
      html`<li><button type="button" data-set="d" data-value="${name}"><span class="nm mono">${name}</span><b>${totalOf(counts).toLocaleString("en")}</b>${bar(counts, greatest)}</button></li>`,
  );
  const more = groups.length > shown.length ? html`<p class="dim">and ${groups.length - shown.length} more</p>` : null;
  return html`<div class="card"><h2>Where</h2>${rows.length > 0 ? html`<ul class="rows">${rows}</ul>` : html`<p class="dim">nowhere</p>`}${more}</div>`;
}
