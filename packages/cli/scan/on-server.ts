import type { AnalyserName, ScanResult } from "@plastron/contracts";
import { findConnection } from "../client/connection.ts";
import { type Admission, ScanClient } from "../client/scans.ts";
import { Failure, usage } from "../failure.ts";
import { sayAdmission } from "../gate/admission.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { bring } from "./bring.ts";
import { startScanProgress } from "./progress.ts";
import { ScanStopped, stoppedBySignals } from "./stop.ts";

export interface ServerFlags {
  server?: boolean;
  project?: string;
  home?: string;
  all?: boolean;
  history?: boolean;
  verifySecrets?: boolean;
  cache: boolean;
  exemptions?: string | false;
  approvals?: string;
  approve?: boolean;
  import?: string[];
  fileTimeout?: number;
  workers?: number;
}

/** Has the server scan, and resolves with the result that it keeps, and what its project says of it. Ctrl-C ends the scan there too. */
export async function scannedByServer(
  what: string,
  flags: ServerFlags,
  analysers: AnalyserName[],
  terminal: Terminal,
): Promise<{ result: ScanResult; admission: Admission | null }> {
  refuseOwnFlags(flags);
  const client = new ScanClient(findConnection(resolveHome(flags.home)));
  const progress = startScanProgress(terminal, what);
  const stop = stoppedBySignals();
  let id: string | null = null;
  try {
    const artifact = await bring(what, client, { all: flags.all ?? false, signal: stop.signal });
    ({ id } = await client.startScan({ artifact: artifact.digest, analysers, ...(flags.project === undefined ? {} : { project: flags.project }) }));
    const ended = await client.followScan(id, progress.show, stop.signal);
    if (ended.status === "failed" || ended.status === "cancelled") {
      throw new Failure(
        "internal",
        `the scan ${id} ${ended.status === "failed" ? "failed" : "was cancelled"}${ended.problem ? `: ${ended.problem.detail}` : ""}`,
      );
    }
    const result = await client.result(id);
    progress.done();
    line(terminal.err, terminal.paintErr("dim", `scan ${printable(id)} of artifact ${artifact.digest}`));
    const admission = flags.project === undefined ? null : await client.admit(flags.project, artifact.digest);
    if (admission) sayAdmission(admission, terminal.err, terminal.paintErr);
    return { result, admission };
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    if (id !== null) await client.cancelScan(id).catch(() => {});
    throw stop.signal.reason instanceof ScanStopped ? stop.signal.reason : error;
  } finally {
    progress.done();
    stop.release();
  }
}

/** What the server does not do is refused, not passed over. */
function refuseOwnFlags(flags: ServerFlags): void {
  const given = [
    ["--history", flags.history],
    ["--verify-secrets", flags.verifySecrets],
    ["--import", flags.import !== undefined],
    ["--no-cache", !flags.cache],
    ["--no-exemptions", flags.exemptions === false],
    ["--exemptions", flags.exemptions !== undefined],
    ["--approvals", flags.approvals !== undefined],
    ["--approve", flags.approve],
    ["--file-timeout", flags.fileTimeout !== undefined],
    ["--workers", flags.workers !== undefined],
  ].find(([, is]) => is);
  if (given) throw usage(`${given[0]} cannot be given with --server`, "It is for scans that this command makes itself.");
}
