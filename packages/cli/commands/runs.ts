import { Client, type Run, type RunSummary } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { networkWords } from "../run/network-words.ts";
import { type Cell, renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { describeViolation } from "../violations/words.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

export async function listRuns(flags: Flags & { status?: string; limit: number; cursor?: string }, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listRuns({ status: flags.status, limit: flags.limit, cursor: flags.cursor });
  if (flags.json) {
    json(terminal, page);
    return 0;
  }
  for (const text of renderTable(["ID", "STARTED", "LANGUAGE", "POLICY", "TIME", "STATUS"], page.data.map(row), terminal)) line(terminal.out, text);
  if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  return 0;
}

export async function showRun(id: string, flags: Flags & { trace?: boolean; traceJson?: boolean }, terminal: Terminal): Promise<number> {
  const client = clientOf(flags);
  const run = await client.getRun(id, flags.trace || flags.traceJson ? { timeline: true } : {});
  if (flags.trace || flags.traceJson) {
    const { sayTrace, traceDocument } = await import("../trace/trace.ts");
    if (flags.traceJson) json(terminal, traceDocument(run));
    else await sayTrace(run, undefined, client, { ...terminal, err: terminal.out, columnsErr: terminal.columns, paintErr: terminal.paint });
  } else if (flags.json) json(terminal, run);
  else show(run, terminal);
  return 0;
}

export async function cancelRun(id: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).cancelRun(id);
  if (flags.json) json(terminal, { id, cancelled: true });
  else line(terminal.out, `cancelled ${printable(id)}`);
  return 0;
}

/** `plastron runs freeze` and `thaw`. */
export async function holdRun(id: string, deed: "freeze" | "thaw", flags: Flags, terminal: Terminal): Promise<number> {
  const held = await clientOf(flags).holdRun(id, deed);
  if (flags.json) json(terminal, held);
  else line(terminal.out, held.frozen ? `holds ${printable(id)} still: its wall clock goes on` : `${printable(id)} goes on`);
  return 0;
}

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}

function row(run: RunSummary): (Cell | string)[] {
  const wall = run.usage ? `${Math.round(run.usage.wall_ms)} ms` : "";
  return [run.id, run.created_at.slice(0, 19), run.language, printable(run.policy.name), wall, statusCell(run)];
}

function statusCell(run: RunSummary): Cell {
  const code = run.exit_code ? ` (${run.exit_code})` : run.signal ? ` (${printable(run.signal)})` : "";
  const style = run.status === "completed" ? "green" : run.status === "running" || run.status === "queued" ? "cyan" : "yellow";
  return { text: `${run.status}${code}`, style };
}

/** The head of the record, then what the program wrote, escaped: it is read back long after, by whoever may look. */
function show(run: Run, terminal: Terminal): void {
  const { paint, out } = terminal;
  const facts: [string, string | null][] = [
    ["Status", statusCell(run).text],
    ["Reason", run.reason ?? run.problem?.detail ?? null],
    ["Language", run.runtime ? `${run.language}, with ${run.runtime}` : run.language],
    ["Policy", `${run.policy.name}${versionWords(run.policy)}`],
    ["Network", run.network ? networkWords(run.network) : null],
    ["Started", run.created_at],
    ["Ended", run.finished_at],
    ["Session", run.session_id],
    ["Used", run.usage ? usageWords(run.usage) : null],
    ["Sandbox", run.sandbox ? `${run.sandbox.driver}, tier ${run.sandbox.tier}, ${run.sandbox.start} start` : null],
    ["Violations", run.violations?.length ? String(run.violations_total ?? run.violations.length) : null],
    ["Seen", seenWords(run)],
    ["Limits", run.limits_hit.length > 0 ? `hit: ${run.limits_hit.join(", ")}` : null],
  ];
  line(out, paint("bold", run.id));
  for (const [name, value] of facts) if (value !== null) line(out, `${paint("dim", name.padEnd(12))}${printable(value)}`);
  for (const violation of run.violations ?? []) line(out, `  ${describeViolation(violation)}  ${paint("dim", printable(violation.rule_id))}`);
  for (const name of ["stdout", "stderr"] as const) {
    if (run[name] === "") continue;
    line(out, `\n${paint("dim", run[`${name}_truncated`] ? `${name} (cut)` : name)}`);
    line(
      out,
      run[name]
        .replace(/\n$/, "")
        .split("\n")
        .map((text) => printable(text.replaceAll("\t", "    ")))
        .join("\n"),
    );
  }
}

/** How much the sensor saw of it: the trace tells what. */
function seenWords({ telemetry }: Run): string | null {
  if (!telemetry) return null;
  if (telemetry.level !== "full") return `${telemetry.level}${telemetry.reason ? `: ${telemetry.reason}` : ""}`;
  return `${telemetry.syscalls.total} system calls, ${telemetry.processes.execs} programs, ${telemetry.denials.length} kinds of denials: --trace tells`;
}

function versionWords({ version, sha256 }: Run["policy"]): string {
  if (version !== null) return ` version ${version}`;
  return sha256 === undefined ? " (built in)" : ` (came with the run, sha256 ${sha256.slice(0, 12)}…)`;
}

function usageWords(usage: NonNullable<RunSummary["usage"]>): string {
  const cpu = usage.cpu_ms === null ? "" : `, ${Math.round(usage.cpu_ms)} ms of cpu`;
  const memory = usage.memory_peak_bytes === null ? "" : `, ${(usage.memory_peak_bytes / 1024 ** 2).toFixed(1)} MiB at most`;
  const network = usage.network ? `, ${usage.network.bytes_out} bytes out and ${usage.network.bytes_in} in over ${usage.network.connections} connections` : "";
  return `${Math.round(usage.wall_ms)} ms${cpu}${memory}${network}`;
}
