import { Client, type StoredViolation, type ViolationQuery } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { parseDuration } from "../run/limits.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import { stackWords } from "../trace/stack.ts";
import { followViolations } from "../violations/follow.ts";
import { describeViolation, shown } from "../violations/words.ts";

interface Flags {
  run?: string;
  session?: string;
  rule?: string;
  action?: string;
  enforcer?: string;
  operation?: string;
  policy?: string;
  audited?: boolean;
  seen?: boolean;
  text?: string;
  since?: string;
  until?: string;
  limit: number;
  cursor?: string;
  follow?: boolean;
  stack?: boolean;
  home?: string;
  json?: boolean;
}

export async function violations(flags: Flags, terminal: Terminal): Promise<number> {
  const client = new Client(findConnection(resolveHome(flags.home)));
  const filter = filterOf(flags);
  if (flags.follow) return await follow(client, filter, flags, terminal);
  const page = await client.listViolations({ ...filter, limit: flags.limit, cursor: flags.cursor });
  if (flags.json) json(terminal, page);
  else if (page.data.length === 0) line(terminal.err, terminal.paintErr("dim", "nothing was recorded"));
  else {
    if (flags.stack) for (const violation of page.data) sayWhole(violation, terminal);
    else for (const text of renderTable(HEADER, page.data.map(row), terminal)) line(terminal.out, text);
    if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  }
  return 0;
}

function filterOf(flags: Flags): ViolationQuery {
  if (flags.audited && flags.seen) throw usage("--audited and --seen exclude each other", "Without either, both kinds are listed.");
  if (flags.follow && flags.until !== undefined) throw usage("--follow has no end: --until cannot be given with it");
  // `disable-cap-*` is every rule whose name begins so.
  const rule = flags.rule?.endsWith("*") ? { rule_prefix: flags.rule.slice(0, -1) } : { rule: flags.rule };
  const kind = flags.audited || flags.seen ? { audited: flags.audited === true } : {};
  return {
    ...{ run_id: flags.run, session_id: flags.session, ...rule, ...kind, action: flags.action?.toUpperCase() },
    ...{ enforcer: flags.enforcer, operation: flags.operation, policy: flags.policy, text: flags.text },
    since: flags.since === undefined ? undefined : timeOf("--since", flags.since),
    until: flags.until === undefined ? undefined : timeOf("--until", flags.until),
  };
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

/** Prints what is recorded as it is, until Ctrl-C. With --json a document a line. */
async function follow(client: Client, filter: ViolationQuery, flags: Flags, terminal: Terminal): Promise<number> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => stop.abort());
  const onLost = (why: string) => line(terminal.err, terminal.paintErr("dim", `the stream was cut (${printable(why)}); going on where it ended`));
  for await (const violation of followViolations(client, filter, stop.signal, onLost)) {
    if (flags.json) line(terminal.out, JSON.stringify(violation));
    else sayWhole(violation, terminal);
  }
  return 130;
}

/** One line, then what would allow it and who called. */
function sayWhole(violation: StoredViolation, { out, paint }: Terminal): void {
  const cells = row(violation).map((cell) => (typeof cell === "string" ? cell : paint(cell.style, cell.text)));
  line(out, cells.join("  "));
  if (violation.hint) line(out, `    ${paint("dim", "allow")}   ${shown(violation.hint)}`);
  const frames = violation.stack ? stackWords(violation.stack) : [];
  if (frames.length > 0) line(out, `    ${paint("dim", "called  as the program tells it")}`);
  for (const frame of frames) line(out, `            ${shown(frame)}`);
}

/** `10m` or `7d` ago, or a time of day and date. */
function timeOf(flag: string, text: string): string {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const ago = days === undefined ? parseDuration(text) : Number(days) * 86_400_000;
  const at = ago === null ? new Date(text) : new Date(Date.now() - ago);
  if (Number.isNaN(at.getTime())) throw usage(`${flag} ${text} is no time`, "For example 10m, 7d, or 2026-01-31T12:00:00Z.");
  return at.toISOString();
}
