import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import {
  defaultCacheDirectory,
  type GatePolicy,
  type Judgement,
  judgeChange,
  type Pentest,
  parseApprovals,
  parseExemptions,
  parseGatePolicy,
  REPORT_FORMATS,
  type ReportFormat,
  render,
} from "@plastron/scan";
import { advisoriesDirectory } from "../advisories/home.ts";
import { Failure, usage } from "../failure.ts";
import { exitOfDecision } from "../gate/admission.ts";
import { placeOf, tellForge } from "../gate/forge.ts";
import { showDecision } from "../gate/show.ts";
import { addedRules } from "../rules/home.ts";
import { startScanProgress } from "../scan/progress.ts";
import { stoppedBySignals } from "../scan/stop.ts";
import { json, type Terminal } from "../terminal/terminal.ts";
import { VERSION } from "../version.ts";

export interface GateFlags {
  base?: string;
  head: string;
  policy?: string;
  environment?: string;
  pentest?: string[];
  rules?: string[];
  report?: string;
  output?: string;
  json?: boolean;
  publish?: string[];
  verifySecrets?: boolean;
  approvals?: string;
  exemptions?: string;
}

/** Judges a change, shows why, and says by the exit code what may happen: 0 pass, 1 denied, 2 it cannot be said. */
export async function gateCommand(repository: string, flags: GateFlags, terminal: Terminal): Promise<number> {
  const format = formatOf(flags);
  const started = new Date();
  for (const forge of flags.publish ?? []) placeOf(forge, process.env); // before the work, not after it
  const judgement = await judged(repository, flags, terminal);
  const report = format && render(judgement.head, format, { version: VERSION });
  if (report && flags.output) writeFileSync(flags.output, report);
  if (flags.json) json(terminal, { ...judgement.decision, base: judgement.base, head: judgement.head, ended: judgement.ended });
  else showDecision(judgement, terminal.out, { paint: terminal.paint, columns: terminal.columns });
  if (report && !flags.output) terminal.out.write(report);
  for (const forge of flags.publish ?? []) await tellForge(forge, judgement, started);
  return exitOfDecision(judgement.decision);
}

async function judged(repository: string, flags: GateFlags, terminal: Terminal): Promise<Judgement> {
  const policy = flags.policy === undefined ? undefined : policyFrom(flags.policy);
  const pentests = (flags.pentest ?? []).map((where): Pentest => ({ where, text: textOf(where) }));
  const progress = startScanProgress(terminal, `${flags.base ?? "nothing"}…${flags.head}`);
  const stop = stoppedBySignals();
  try {
    const change = { repository: resolve(repository), base: flags.base ?? null, head: flags.head, policy, environment: flags.environment ?? null, pentests };
    return await judgeChange(
      {
        ...change,
        exemptions: flags.exemptions === undefined ? [] : parseExemptions(textOf(flags.exemptions)),
        scan: {
          approvals: flags.approvals === undefined ? null : parseApprovals(textOf(flags.approvals), flags.approvals),
          verifySecrets: flags.verifySecrets ?? policy?.verify_secrets ?? false,
          advisories: advisoriesDirectory(undefined),
          cache: defaultCacheDirectory(),
          rules: [...addedRules(), ...(flags.rules ?? []).map((path) => resolve(path))],
        },
        signal: stop.signal,
      },
      progress.show,
    );
  } finally {
    progress.done();
    stop.release();
  }
}

function formatOf({ report, output, json }: GateFlags): ReportFormat | null {
  if (report === undefined && output !== undefined) throw usage("--output needs --report", "Say which report goes there: --report sarif.");
  if (report !== undefined && json && output === undefined) throw usage("--json and a report cannot both be printed", "Give the report a file: --output FILE.");
  const known = REPORT_FORMATS.find((format) => format === report);
  if (report !== undefined && !known) throw usage(`there is no format ${report}`, `Formats are ${REPORT_FORMATS.join(", ")}.`);
  return known ?? null;
}

/** A policy from a file, faults with that file's name. */
export function policyFrom(file: string): GatePolicy {
  const text = textOf(file);
  try {
    return parseGatePolicy(text);
  } catch (error) {
    const { code, message, hint, errors } = error as Failure;
    throw new Failure(code, message, { ...(hint ? { hint } : {}), ...(errors ? { errors } : {}), file, cause: error });
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Failure("invalid_request", `${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, {
      hint: "Name a file that is there.",
      cause: error,
    });
  }
}
