import { readFileSync, statSync, writeFileSync } from "node:fs";
import { ANALYSERS, type AnalyserName, type GateDecision, type ScanResult, SEVERITIES, type Severity } from "@plastron/contracts";
import { defaultCacheDirectory, REPORT_FORMATS, type ReportFormat, render, scanSource } from "@plastron/scan";
import { advisoriesDirectory } from "../advisories/home.ts";
import { approve } from "../approvals/approve.ts";
import { type ApprovalFlags, type ApprovedBefore, approvedBefore } from "../approvals/scanned.ts";
import { exempted } from "../exemptions/scanned.ts";
import { Exiting, usage } from "../failure.ts";
import { lendingFuzz, type ScanFuzzFlags } from "../fuzz/lent.ts";
import { exitOfDecision } from "../gate/admission.ts";
import { addedRules } from "../rules/home.ts";
import { billOf } from "../scan/bill.ts";
import { type ServerFlags, scannedByServer } from "../scan/on-server.ts";
import { startScanProgress } from "../scan/progress.ts";
import { ScanStopped, stoppedBySignals } from "../scan/stop.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { VERSION } from "../version.ts";

export interface ScanFlags extends ServerFlags, ScanFuzzFlags, ApprovalFlags {
  analysers?: string;
  format: string;
  output?: string;
  sbom?: string;
  failOn: Severity | "none";
}

/**
 * Scans, reports, and says by the exit code what a script needs, wherever it is scanned: 0 nothing grave, 1 findings, 2 not all was seen, or nothing at all, as
 * the scan failed; 130 after Ctrl-C.
 */
export async function scanCommand(what: string | undefined, flags: ScanFlags, terminal: Terminal): Promise<number> {
  try {
    if (flags.sbom !== undefined) return await scanAndReport(billOf(flags.sbom, what, flags.analysers), { ...flags, analysers: "dependencies" }, terminal);
    if (what === undefined) throw usage("nothing is named to be scanned", "Name a path, a git URL, npm:NAME or pypi:NAME; or --sbom FILE.");
    return await scanAndReport(what, flags, terminal);
  } catch (error) {
    if (!(error instanceof ScanStopped)) throw new Exiting(2, error);
    line(terminal.err, "The scan was stopped: nothing is said of what it saw so far.");
    return error.exit;
  }
}

async function scanAndReport(what: string, flags: ScanFlags, terminal: Terminal): Promise<number> {
  const format = formatOf(flags.format);
  const analysers = analysersOf(flags.analysers);
  if (flags.project !== undefined && !flags.server) throw usage("--project needs --server", "Projects are the server's.");
  if (flags.server) {
    const { result, admission } = await scannedByServer(what, flags, analysers, terminal);
    return exitWith(report(result, format, flags, terminal), admission);
  }
  if (flags.approve && !analysers.includes("agentware")) throw usage("--approve needs the analyser agentware", "It is what reads tools and skills.");
  const before = approvedBefore(what, flags);
  const result = exempted(await scanned(what, flags, analysers, before, terminal), what, flags.exemptions);
  if (flags.approve && before.file) return approve(result, before.file, before.approvals, flags.despite ?? [], terminal);
  return report(result, format, flags, terminal);
}

function report(result: ScanResult, format: ReportFormat, flags: ScanFlags, terminal: Terminal): number {
  const screen = flags.output === undefined ? { columns: terminal.columns, colour: terminal.paint("bold", "x") !== "x" } : {};
  const text = render(result, format, { ...screen, version: VERSION });
  if (flags.output === undefined) terminal.out.write(text);
  else {
    writeFileSync(flags.output, text);
    line(terminal.err, `${result.findings.length} findings, ${result.status}: ${flags.output}`);
  }
  return exitOf(result, flags.failOn);
}

async function scanned(
  what: string,
  flags: ScanFlags,
  analysers: AnalyserName[],
  { approvals, note }: ApprovedBefore,
  terminal: Terminal,
): Promise<ScanResult> {
  const progress = startScanProgress(terminal, what);
  const stop = stoppedBySignals();
  try {
    const imports = (flags.import ?? []).map(logOf);
    const more = { imports, ...(flags.fileTimeout ? { fileTimeoutMs: flags.fileTimeout * 1000 } : {}), ...(flags.workers ? { workers: flags.workers } : {}) };
    const options = {
      analysers,
      cache: flags.cache ? defaultCacheDirectory() : null,
      all: flags.all ?? false,
      history: flags.history ?? false,
      verifySecrets: flags.verifySecrets ?? false,
      advisories: advisoriesDirectory(undefined),
      rules: addedRules(),
      approvals,
      signal: stop.signal,
      ...more,
    };
    const result = await lendingFuzz(flags, (fuzz) => scanSource(what, { ...options, fuzz }, progress.show));
    return note === null ? result : { ...result, coverage: { ...result.coverage, notes: [...result.coverage.notes, note] } };
  } finally {
    progress.done();
    stop.release();
  }
}

/** More than this is refused by its reader: it need not be in memory for that. */
const MOST_LOG_BYTES = 256 * 1024 * 1024;

function logOf(name: string): { name: string; text: string } {
  try {
    if (statSync(name).size <= MOST_LOG_BYTES) return { name, text: readFileSync(name, "utf8") };
  } catch (error) {
    throw usage(`${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`, "Name a SARIF file that is there.");
  }
  throw usage(`${name} is larger than ${MOST_LOG_BYTES} bytes`, "Split the log, a run a file.");
}

/** What the project's gate says counts like what was found: denied is 1 whatever was asked for, held at least 2. */
function exitWith(exit: number, admission: Pick<GateDecision, "decision"> | null): number {
  const said = admission === null ? 0 : exitOfDecision(admission);
  return said === 1 ? 1 : exit || said;
}

/** Exempted findings do not count. Findings come before what is incomplete: 1 says that something is wrong for certain. */
export function exitOf({ findings, status }: Pick<ScanResult, "findings" | "status">, failOn: Severity | "none"): number {
  const least = failOn === "none" ? -1 : SEVERITIES.indexOf(failOn);
  if (findings.some(({ state, severity }) => state === "open" && SEVERITIES.indexOf(severity) <= least)) return 1;
  return status === "incomplete" ? 2 : 0;
}

function formatOf(format: string): ReportFormat {
  const known = REPORT_FORMATS.find((one) => one === format);
  if (!known) throw usage(`there is no format ${format}`, `Formats are ${REPORT_FORMATS.join(", ")}.`);
  return known;
}

function analysersOf(list: string | undefined): AnalyserName[] {
  if (list === undefined) return ANALYSERS.filter((name) => name !== "fuzz");
  const names = list.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !(ANALYSERS as readonly string[]).includes(name));
  if (unknown !== undefined) throw usage(`there is no analyser ${unknown}`, `Analysers are ${ANALYSERS.join(", ")}.`);
  return ANALYSERS.filter((name) => names.includes(name));
}
