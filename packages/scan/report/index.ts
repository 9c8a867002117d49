import { type ScanResult, scanResultSchema } from "@plastron/contracts";
import { renderTerminal, type TerminalOptions } from "./terminal/index.ts";

export interface ReportOptions extends TerminalOptions {
  /** Of Plastron, for formats that name the tool. */
  readonly version?: string;
}

/** A function a format: a result and nothing else goes in, text comes out. All text of the artifact is escaped for where it will stand. */
const FORMATS = {
  terminal: renderTerminal,
  json: (result: ScanResult): string => `${JSON.stringify(scanResultSchema.parse(result), null, 2)}\n`,
} satisfies Record<string, (result: ScanResult, options: ReportOptions) => string>;

export type ReportFormat = keyof typeof FORMATS;
export const REPORT_FORMATS = Object.keys(FORMATS) as ReportFormat[];

/** A scan's result as text of one format. */
export function render(result: ScanResult, format: ReportFormat, options: ReportOptions = {}): string {
  return FORMATS[format](result, options);
}
