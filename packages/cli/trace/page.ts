import type { Paint, Style } from "../terminal/terminal.ts";
import { displayWidth, padEnd, printable, truncate, wrap } from "../terminal/width.ts";

/** Lines in the making, for one width of terminal. What a program chose comes in through `text` alone. */
export interface Page {
  columns: number;
  paint: Paint;
  lines: string[];
}

/** A narrower terminal than this is written past its edge. */
const NARROWEST = 40;
/** Where nobody's terminal bounds a line, the words of one program still do not fill a screen. */
const LONGEST = 400;

export function newPage(columns: number, paint: Paint): Page {
  return { columns: Math.max(NARROWEST, columns), paint, lines: [] };
}

/** Text that a program chose, on one line: nothing in it reaches the terminal as a control. What is cut away is not looked at. */
export const text = (chosen: string, longest = LONGEST): string => truncate(printable(chosen.slice(0, 2 * longest)), longest);

export function heading(page: Page, title: string, more = ""): void {
  if (page.lines.length > 0) page.lines.push("");
  const head = fit(page, title, 0);
  page.lines.push(`${page.paint("bold", head)}${more === "" ? "" : `  ${page.paint("dim", fit(page, more, displayWidth(head) + 2))}`}`);
}

/** One line, cut at the edge. `lead` is ours and may be painted by the caller; its width is given. */
export function put(page: Page, lead: { shown: string; width: number }, what: string, style?: Style): void {
  const cut = fit(page, what, lead.width);
  page.lines.push(`${lead.shown}${style ? page.paint(style, cut) : cut}`);
}

/** `name  words`, wrapped under themselves. */
export function field(page: Page, indent: number, name: string, words: string, style?: Style): void {
  const lead = `${" ".repeat(indent)}${padEnd(name, FIELD)}`;
  const room = page.columns - lead.length;
  const lines = Number.isFinite(room) ? wrap(words, Math.max(20, room)) : [words];
  lines.forEach((words, i) => {
    const shown = style ? page.paint(style, words) : words;
    page.lines.push(`${i === 0 ? `${" ".repeat(indent)}${page.paint("dim", padEnd(name, FIELD))}` : " ".repeat(lead.length)}${shown}`);
  });
}
const FIELD = 8;

const fit = ({ columns }: Page, words: string, used: number): string => (Number.isFinite(columns) ? truncate(words, Math.max(1, columns - used)) : words);

/** 1234567 → `1,234,567`. */
export const number = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");

export const plural = (count: number, one: string, many = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`;

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Since the program began, in a width of its own: `   3.1 ms`, ` 12.40 s`. */
export function since(us: number): string {
  const ms = us / 1000;
  const words =
    ms < 1000
      ? `${ms.toFixed(1)} ms`
      : ms < 60_000
        ? `${(ms / 1000).toFixed(2)} s`
        : `${Math.floor(ms / 60_000)}m${String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0")}s`;
  return words.padStart(9);
}

/** `a, b, c and 4 more`. */
export function few(words: readonly string[], most: number): string {
  const rest = words.length - most;
  return rest > 0 ? `${words.slice(0, most).join(", ")} and ${number(rest)} more` : words.join(", ");
}
