import type { Finding, FlowStep } from "@plastron/contracts";
import { placeWords } from "../../findings/places.ts";
import { codeOf } from "./code.ts";
import { directoryOf } from "./directory.ts";
import { html, type Markup, prose } from "./markup.ts";

/** A row that opens: what and where in one line, everything else below it. */
export function findingOf(finding: Finding, open: boolean): Markup {
  const { severity, analyser, state, place, title, rule, priority } = finding;
  return html`<details class="f ${severity}" data-s="${severity}" data-a="${analyser}" data-t="${state}" data-p="${priority.level}" data-d="${directoryOf(finding)}"${open ? html` open` : null}>
<summary><b class="sev">${severity}</b><span class="ti">${title}${finding.verdict === "malice" || finding.verdict === "authority" ? html` <b class="vd ${finding.verdict}">${finding.verdict}</b>` : null}</span><span class="at">${placeWords(place)}<em>:${place.line}</em></span><code class="ru">${rule}</code>${state === "exempted" ? html`<b class="ex">exempted</b>` : null}</summary>
<div class="bd">
<p class="msg">${prose(finding.message)}</p>
${finding.flow.length > 0 ? flowOf(finding.flow) : codeOf(finding.place, finding.secret?.redacted)}
<dl>
<dt>What to do</dt><dd>${prose(finding.fix.text)}</dd>
<dt>How urgent</dt><dd><b class="lv ${priority.level}">${priority.level}</b> ${priority.words} <span class="dim">${priority.score.toFixed(0)} of 100</span></dd>
${exemptionOf(finding)}
${packageOf(finding)}
${secretOf(finding)}
<dt>Known as</dt><dd>${namesOf(finding)}</dd>
${finding.references.length > 0 ? html`<dt>Read more</dt><dd>${finding.references.slice(0, 6).map(referenceOf)}</dd>` : null}
<dt>Fingerprint</dt><dd><code>${finding.fingerprint}</code></dd>
</dl>
</div></details>`;
}

const KIND: Record<FlowStep["kind"], string> = { source: "comes in", step: "passes", call: "call", return: "return", sink: "does harm" };

function flowOf(flow: readonly FlowStep[]): Markup {
  const steps = flow.map(
    (step) =>
      html`<li class="${step.kind}"><div class="st"><b>${KIND[step.kind]}</b> ${prose(step.message)} <span class="at">${placeWords(step)}<em>:${step.line}</em></span></div>${codeOf(step)}</li>`,
  );
  return html`<ol class="flow">${steps}</ol>`;
}

function exemptionOf({ exemption }: Finding): Markup | null {
  if (exemption === null) return null;
  return html`<dt>Exempted</dt><dd>until ${exemption.expires} by ${exemption.approver} (${exemption.id}): ${exemption.reason}</dd>`;
}

function packageOf({ package: affected }: Finding): Markup | null {
  if (affected === null) return null;
  const way = affected.path.length > 1 ? html`<br><span class="dim">by way of ${affected.path.join(" → ")}</span>` : null;
  const fixed = affected.fixed.length > 0 ? html`; not affected: ${affected.fixed.slice(0, 5).join(", ")}` : html`; no version without it is known`;
  return html`<dt>Package</dt><dd><code>${affected.purl}</code>${fixed}${way}</dd>`;
}

function secretOf({ secret }: Finding): Markup | null {
  return secret && html`<dt>Secret</dt><dd>${secret.provider}, <code>${secret.redacted}</code>, ${secret.state}</dd>`;
}

function namesOf({ cwe, aliases, cvss, also, rule, confidence }: Finding): Markup[] {
  const names = [
    ...cwe.map((number) => `CWE-${number}`),
    ...aliases,
    ...cvss.map(({ score, vector }) => `${score.toFixed(1)} ${vector}`),
    rule,
    ...also.map((each) => each.rule),
  ];
  return [...names.map((name) => html`<code class="tag">${name}</code> `), html`<span class="dim">confidence ${confidence}</span>`];
}

/** Only plain addresses become links, and none sends the reader's page along. What is anything else stays text. */
function referenceOf(reference: string): Markup {
  const address = /^https:\/\/[a-z0-9.-]+\.[a-z]{2,}(\/[\w./?=&%#:@+~!,;()-]*)?$/i.test(reference);
  return address ? html`<a href="${reference}" rel="noopener noreferrer nofollow" target="_blank">${reference}</a><br>` : html`${reference}<br>`;
}
