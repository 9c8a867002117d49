import { setTimeout as sleep } from "node:timers/promises";
import { Client, type StoredViolation, type ViolationQuery } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { parseDuration } from "../run/limits.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { describeViolation } from "../violations/words.ts";

interface Flags {
  run?: string;
  rule?: string;
  action?: string;
  since?: string;
  limit: number;
  cursor?: string;
  follow?: boolean;
  home?: string;
  json?: boolean;
}

const POLL_MS = 1_000;
/** Looked back at each turn: what another server records at the same time may be seen a little later. */
const OVERLAP_MS = 15_000;

export async function violations(flags: Flags, terminal: Terminal): Promise<number> {
  const client = new Client(findConnection(resolveHome(flags.home)));
  const filter = { run_id: flags.run, rule: flags.rule, action: flags.action?.toUpperCase() };
  const since = flags.since === undefined ? undefined : timeOf(flags.since);
  if (flags.follow) return await follow(client, { ...filter, since }, flags, terminal);
  const page = await client.listViolations({ ...filter, since, limit: flags.limit, cursor: flags.cursor });
  if (flags.json) json(terminal, page);
  else if (page.data.length === 0) line(terminal.err, terminal.paintErr("dim", "nothing was recorded"));
  else {
    for (const text of renderTable(HEADER, page.data.map(row), terminal)) line(terminal.out, text);
    if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  }
  return 0;
}

const HEADER = ["TIME", "RUN", "POLICY", "RULE", "WHAT"];

function row(violation: StoredViolation) {
  const { name, version } = violation.policy;
  const style = violation.action === "DENIED" ? ("yellow" as const) : ("dim" as const);
  return [
    violation.at.slice(0, 19),
    violation.run_id,
    printable(`${name}${version === null ? "" : `:${version}`}`),
    printable(violation.rule_id),
    { text: describeViolation(violation), style },
  ];
}

/** Asks every second for what was recorded since a while, and prints what it had not seen. With --json a document a line. Ends by Ctrl-C. */
async function follow(client: Client, filter: ViolationQuery, flags: Flags, terminal: Terminal): Promise<number> {
  const seen = new Map<string, number>();
  const begun = new Date().toISOString();
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  while (!stop.signal.aborted) {
    const now = Date.now();
    const earliest = filter.since ?? begun;
    const overlap = new Date(now - OVERLAP_MS).toISOString();
    const fresh: StoredViolation[] = [];
    let cursor: string | undefined;
    do {
      const page = await client.listViolations({ ...filter, since: seen.size > 0 && overlap > earliest ? overlap : earliest, limit: 200, cursor });
      fresh.push(...page.data.filter(({ id }) => !seen.has(id)));
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined && !stop.signal.aborted);
    for (const violation of fresh.reverse()) {
      seen.set(violation.id, now);
      line(terminal.out, flags.json ? JSON.stringify(violation) : plain(violation));
    }
    for (const [id, at] of seen) if (seen.size > 1 && now - at > 4 * OVERLAP_MS) seen.delete(id);
    await sleep(POLL_MS, undefined, { signal: stop.signal }).catch(() => {});
  }
  return 130;
}

const plain = (violation: StoredViolation): string =>
  row(violation)
    .map((cell) => (typeof cell === "string" ? cell : cell.text))
    .join("  ");

/** `10m` or `7d` ago, or a time of day and date. */
function timeOf(text: string): string {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const ago = days === undefined ? parseDuration(text) : Number(days) * 86_400_000;
  const at = ago === null ? new Date(text) : new Date(Date.now() - ago);
  if (Number.isNaN(at.getTime())) throw usage(`--since ${text} is no time`, "For example 10m, 7d, or 2026-01-31T12:00:00Z.");
  return at.toISOString();
}
