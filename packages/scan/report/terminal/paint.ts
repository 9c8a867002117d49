import type { Finding, Severity } from "@plastron/contracts";

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "alarm";

const CODES: Record<Style, [number | string, number | string]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  alarm: ["1;97;41", "22;39;49"],
};

/** A terminal as wide as it says; infinite for what is none. */
export interface Screen {
  readonly columns: number;
  paint(style: Style, text: string): string;
}

export function screen({ columns = Number.POSITIVE_INFINITY, colour = false }: { columns?: number; colour?: boolean }): Screen {
  return {
    columns: Math.max(40, columns),
    paint: (style, text) => (colour && text !== "" ? `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m` : text),
  };
}

export const SEVERITY_STYLE: Record<Severity, Style> = { critical: "red", high: "red", medium: "yellow", low: "blue", info: "dim" };
export const LEVEL_STYLE: Record<Finding["priority"]["level"], Style> = { now: "red", soon: "yellow", plan: "blue", note: "dim" };
