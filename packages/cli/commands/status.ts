import { resolveHome } from "../lifecycle/home.ts";
import { readStatus, type Status } from "../lifecycle/status.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Paint, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { TIER_WORDS } from "./up-panel.ts";

/** Exit 0 running, 1 not. */
export async function status(flags: { home?: string; json?: boolean }, terminal: Terminal): Promise<number> {
  const found = await readStatus(resolveHome(flags.home));
  if (flags.json) json(terminal, found);
  else if (!found.running) line(terminal.out, `nothing runs on ${found.home}; ${terminal.paint("dim", "`plastron up` starts it")}`);
  else show(found, terminal);
  return found.running ? 0 : 1;
}

function show(found: Status, terminal: Terminal): void {
  const { paint } = terminal;
  const rows: [string, string][] = [
    ["URL", paint("cyan", found.url ?? "")],
    ["Health", found.health === "ok" ? paint("green", "ok") : paint("red", printable(found.health ?? "unknown"))],
    ["Tier", found.tier === null ? "unknown" : `${found.tier} of 4: ${TIER_WORDS[found.tier]} (${found.driver} driver)`],
    ["Since", found.started_at ?? ""],
    ["Pids", pids(found, paint)],
    ["Home", found.home],
    ...lostViolations(found, paint),
  ];
  line(terminal.out, `${paint("bold", "Plastron")} ${found.version} ${paint("green", "runs")}`);
  for (const [name, value] of rows) line(terminal.out, `${paint("dim", name.padEnd(8))}${value}`);
  if (found.pools.length === 0) return;
  line(terminal.out);
  const pools = found.pools.map((pool) => [pool.runtime, pool.source, `${pool.ready} of ${pool.target}`]);
  for (const text of renderTable(["POOL", "KIND", "READY"], pools, { columns: terminal.columns, paint })) line(terminal.out, text);
}

function lostViolations({ violations_log: log }: Status, paint: Paint): [string, string][] {
  if (log === null || log.lost === 0) return [];
  const why = log.error === null ? "" : `: ${printable(log.error)}`;
  return [["Log", paint("yellow", `${log.path} lost ${log.lost} violations${why}; \`plastron violations\` has them`)]];
}

function pids({ pids, restarts }: Status, paint: Paint): string {
  const part = (name: "agent" | "server") => {
    const again = restarts?.[name] ? paint("yellow", ` (restarted ${restarts[name]}×)`) : "";
    return `${name} ${pids[name] ?? paint("red", "down")}${again}`;
  };
  return `supervisor ${pids.supervisor}, ${part("agent")}, ${part("server")}`;
}
