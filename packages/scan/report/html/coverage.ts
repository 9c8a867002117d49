import { ANALYSERS, type Gap, type ScanResult } from "@plastron/contracts";
import { ANALYSER_WORDS, count, duration, size } from "../words.ts";
import { html, type Markup, prose } from "./markup.ts";

const MOST_GAPS = 500;

/** What was looked at and, first, what was not. */
export function coverageOf(result: ScanResult): Markup {
  const { coverage } = result;
  const gaps = coverage.gaps.toSorted((a, b) => Number(b.matters) - Number(a.matters));
  const matter = gaps.filter(({ matters }) => matters);
  const beside = gaps.filter(({ matters }) => !matters);
  const unsaid = coverage.gaps_total - matter.length - beside.length;
  return html`<section class="cov card" id="coverage"><h2>What was looked at</h2>
${matter.length > 0 ? html`<h3 class="bad">Not looked at as it should have been</h3><ul class="gaps">${matter.slice(0, MOST_GAPS).map(gapOf)}</ul>` : null}
${unsaid > 0 ? html`<p class="bad">and ${unsaid.toLocaleString("en")} more</p>` : null}
${coverage.notes.length > 0 ? html`<ul class="notes">${coverage.notes.map((note) => html`<li>${prose(note)}</li>`)}</ul>` : null}
<table><thead><tr><th>for</th><th>files</th><th>known from before</th><th>bytes</th><th>processor time</th></tr></thead><tbody>${ANALYSERS.map((name) => rowOf(name, result))}</tbody></table>
${beside.length > 0 ? html`<details><summary>${count(beside.length, "thing")} beside the point</summary><ul class="gaps">${beside.slice(0, MOST_GAPS).map(gapOf)}</ul></details>` : null}
</section>`;
}

function rowOf(name: (typeof ANALYSERS)[number], { coverage }: ScanResult): Markup {
  const of = coverage.analysers[name];
  if (!of) return html`<tr class="dim"><td>${ANALYSER_WORDS[name]}</td><td colspan="4">not looked for</td></tr>`;
  return html`<tr><td>${ANALYSER_WORDS[name]}</td><td>${of.files.toLocaleString("en")}</td><td>${of.cached.toLocaleString("en")}</td><td>${size(of.bytes)}</td><td>${duration(of.ms)}</td></tr>`;
}

const gapOf = (gap: Gap): Markup =>
  html`<li><b class="${gap.kind}">${gap.kind}</b> <code>${gap.path || gap.analyser}</code> ${gap.detail || gap.reason} <span class="dim">${gap.analyser}</span></li>`;
