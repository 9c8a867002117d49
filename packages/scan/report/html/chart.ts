import { type Finding, SEVERITIES, type Severity } from "@plastron/contracts";
import { html, type Markup } from "./markup.ts";

const WIDTH = 1000;

export type Counts = Record<Severity, number>;

export function countsOf(findings: readonly Finding[]): Counts {
  const counts: Counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}

export const totalOf = (counts: Counts): number => SEVERITIES.reduce((sum, severity) => sum + counts[severity], 0);

/** One bar, its parts by severity; as long, against the others, as its total against the greatest. What is there at all is seen. */
export function bar(counts: Counts, greatest: number): Markup {
  const total = totalOf(counts);
  const length = total === 0 ? 0 : Math.max(14, (WIDTH * total) / Math.max(1, greatest));
  let x = 0;
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => {
    const width = (length * counts[severity]) / total;
    const part = html`<rect class="${severity}" x="${x.toFixed(1)}" y="0" width="${Math.max(2, width - 2).toFixed(1)}" height="10"/>`;
    x += width;
    return part;
  });
  return html`<svg class="bar" viewBox="0 0 ${WIDTH} 10" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>`;
}

const RADIUS = 42;
const ROUND = 2 * Math.PI * RADIUS;

/** A ring of severities with the total in it. */
export function ring(counts: Counts): Markup {
  const total = totalOf(counts);
  let turned = 0;
  const parts = SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => {
    const part = (counts[severity] / total) * ROUND;
    const arc = html`<circle class="${severity}" cx="60" cy="60" r="${RADIUS}" stroke-dasharray="${Math.max(1.5, part - 2).toFixed(2)} ${ROUND.toFixed(2)}" stroke-dashoffset="${(-turned).toFixed(2)}"/>`;
    turned += part;
    return arc;
  });
  const label = SEVERITIES.map((severity) => `${counts[severity]} ${severity}`).join(", ");
  return html`<svg class="ring" viewBox="0 0 120 120" role="img" aria-label="${label}"><g transform="rotate(-90 60 60)"><circle class="none" cx="60" cy="60" r="${RADIUS}"/>${parts}</g><text class="${total > 999 ? "far" : "near"}" x="60" y="60">${total.toLocaleString("en")}</text><text class="un" x="60" y="77">open</text></svg>`;
}
