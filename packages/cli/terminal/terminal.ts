import { isatty } from "node:tty";

/** Where a command speaks, and how: its streams, whether they are a person's terminal, and the colours to use there. */
export interface Terminal {
  out: NodeJS.WritableStream;
  err: NodeJS.WritableStream;
  /** Columns to lay text out in; infinite where the output is not a terminal, so that scripts get whole lines. */
  columns: number;
  /** The same of standard error. */
  columnsErr?: number;
  interactive: boolean;
  paint: Paint;
  paintErr: Paint;
}

export type Style = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";
export type Paint = (style: Style, text: string) => string;

const CODES: Record<Style, [number, number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] };

/** The process's own terminal. Colours follow NO_COLOR and FORCE_COLOR (https://no-color.org) and are per stream. */
export function openTerminal(env: NodeJS.ProcessEnv = process.env): Terminal {
  const outTty = isatty(1);
  const errTty = isatty(2);
  return {
    out: process.stdout,
    err: process.stderr,
    columns: outTty ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY,
    columnsErr: errTty ? process.stderr.columns || 80 : Number.POSITIVE_INFINITY,
    interactive: errTty && env.TERM !== "dumb",
    paint: painter(wantsColour(env, outTty)),
    paintErr: painter(wantsColour(env, errTty)),
  };
}

export function wantsColour(env: NodeJS.ProcessEnv, tty: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR && env.FORCE_COLOR !== "0") return true;
  return tty && env.TERM !== "dumb";
}

export function painter(colour: boolean): Paint {
  return (style, text) => (colour ? `\x1b[${CODES[style][0]}m${text}\x1b[${CODES[style][1]}m` : text);
}

export function line(stream: NodeJS.WritableStream, text = ""): void {
  stream.write(`${text}\n`);
}

/** Machine-readable output: one document, indented, on standard output. */
export function json(terminal: Terminal, value: unknown): void {
  line(terminal.out, JSON.stringify(value, null, 2));
}
