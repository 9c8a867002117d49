import { type Cell, renderTable } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { printable, wrap } from "../terminal/width.ts";
import type { Attack } from "./attack.ts";
import type { Played, Row, Side } from "./play.ts";

/** Every attack worked without the control and was contained with it. */
export function goesWell({ rows }: Played): boolean {
  return rows.length > 0 && rows.every((row) => row.without.ok && row.with.ok);
}

/** The table for people: attack, without, with, which rule; then what went wrong, what was not shown, and the count. Lines. */
export function showTable(played: Played, seconds: number, terminal: Pick<Terminal, "columns" | "paint">): string[] {
  const { rows, left_out } = played;
  const { paint } = terminal;
  const header = ["", "ATTACK", "WITHOUT", "WITH", "STOPPED BY"];
  const wrong = showComplaints(played);
  return [
    ...renderTable(
      header,
      rows.flatMap((row) => cells(row, terminal.columns)),
      terminal,
    ),
    ...(wrong.length > 0 ? ["", ...wrong.map((text) => paint("red", text))] : []),
    ...(left_out.length > 0
      ? ["", ...left_out.map(({ attack, why }) => paint("dim", `not shown: ${attack.title}: this kernel does not have it (${why})`))]
      : []),
    "",
    closing(played, seconds, terminal),
  ];
}

/** One JSON object a row, with these four fields. `without` is "succeeded" or says what happened instead. */
export function showJson({ rows }: Played): string[] {
  return rows.map(({ attack, without, with: contained }) =>
    JSON.stringify({ attack: label(attack), without: without.ok ? "succeeded" : `failed: ${without.wrong}`, contained: contained.ok, rule: attack.rule }),
  );
}

/** What did not go as it must, a line each. */
export function showComplaints({ rows }: Played): string[] {
  return rows.flatMap((row) => [...complaint(row, "without"), ...complaint(row, "with")]);
}

/** The same rows where nothing can be shown: what, and why. */
export function showUnavailable(attacks: readonly Attack[], why: string, json: boolean): string[] {
  if (!json) return ["The demo cannot be shown on this machine: it makes real sandboxes, also deliberately weak ones, and that needs root.", printable(why)];
  return attacks.map((attack) => JSON.stringify({ attack: label(attack), without: `unavailable: ${why}`, contained: false, rule: attack.rule }));
}

const label = (attack: Attack): string => (attack.cve ? `${attack.cve}: ${attack.title}` : attack.title);

/** What the columns beside the two long ones take, and what those need to be read: the longest name of a rule is whole. */
const FIXED = "✓  ".length + "succeeded  ".length + "contained  ".length + 2;
const RULE_MIN = 33;
const TITLE_MIN = 24;
const TITLE_WIDE = 56;

/** A row, as several lines where the terminal is too narrow for its two long texts. */
function cells(row: Row, columns: number): Cell[][] {
  const good = row.without.ok && row.with.ok;
  const first: [Cell, Cell, Cell] = [
    good ? { text: "✓", style: "green" } : { text: "✗", style: "red" },
    row.without.ok ? { text: "succeeded", style: "yellow" } : { text: "FAILED", style: "red" },
    row.with.ok ? { text: "contained", style: "green" } : { text: "ESCAPED", style: "red" },
  ];
  const titles = fold(label(row.attack), Math.max(TITLE_MIN, columns - FIXED - RULE_MIN));
  const rules = fold(row.attack.rule, Math.max(RULE_MIN, columns - FIXED - TITLE_WIDE));
  return Array.from({ length: Math.max(titles.length, rules.length) }, (_, i) => {
    const [mark, without, contained] = i === 0 ? first : [EMPTY, EMPTY, EMPTY];
    return [mark, { text: titles[i] ?? "" }, without, contained, { text: rules[i] ?? "", style: "dim" }];
  });
}
const fold = (text: string, width: number): string[] => (width === Number.POSITIVE_INFINITY ? [text] : wrap(text, width));
const EMPTY: Cell = { text: "" };

function complaint(row: Row, side: "without" | "with"): string[] {
  const { ok, wrong }: Side = row[side];
  const where = side === "without" ? "without the control" : "under the policy";
  return ok ? [] : [printable(`✗ ${row.attack.title}, ${where}: ${wrong}`)];
}

function closing({ rows }: Played, seconds: number, { paint }: Pick<Terminal, "paint">): string {
  const worked = rows.filter((row) => row.without.ok).length;
  const contained = rows.filter((row) => row.with.ok).length;
  const all = worked === rows.length && contained === rows.length;
  const text = `${rows.length} attack${rows.length === 1 ? "" : "s"}: ${worked} succeeded without the policy, ${contained} contained with it, in ${seconds.toFixed(1)} s.`;
  return paint(all ? "green" : "red", text);
}
