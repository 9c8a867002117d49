import { type ScanResult, scanResultSchema } from "@plastron/contracts";
import { renderCyclonedx } from "./cyclonedx/index.ts";
import { renderOpenvex } from "./cyclonedx/openvex.ts";
import { renderHtml } from "./html/index.ts";
import { renderGithub } from "./lists/github.ts";
import { renderGitlab } from "./lists/gitlab.ts";
import { renderJunit } from "./lists/junit.ts";
import { renderSarif } from "./sarif/index.ts";
import { renderTerminal, type TerminalOptions } from "./terminal/index.ts";

export interface ReportOptions extends TerminalOptions {
  /** Of Plastron, for formats that name the tool. */
  readonly version?: string;
}

export const REPORT_FORMATS = ["terminal", "html", "json", "sarif", "cyclonedx", "openvex", "junit", "github", "gitlab"] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** A function a format: a result and nothing else goes in, text comes out. All text of the artifact is escaped for where it will stand. */
const RENDERERS: Record<ReportFormat, (result: ScanResult, options: ReportOptions) => string> = {
  terminal: renderTerminal,
  html: renderHtml,
  json: (result) => `${JSON.stringify(scanResultSchema.parse(result), null, 2)}\n`,
  sarif: renderSarif,
  cyclonedx: renderCyclonedx,
  openvex: renderOpenvex,
  junit: renderJunit,
  github: renderGithub,
  gitlab: renderGitlab,
};

/** A scan's result as text of one format. */
export function render(result: ScanResult, format: ReportFormat, options: ReportOptions = {}): string {
  return RENDERERS[format](result, options);
}
