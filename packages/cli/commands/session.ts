import { Client, type Session } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { chooseLanguage } from "../run/language.ts";
import { parseDuration, parseLimits } from "../run/limits.ts";
import { type NetworkFlags, parseNetwork } from "../run/network.ts";
import { networkWords } from "../run/network-words.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

/** Prints the id alone, so that `S=$(plastron session open -l python3)` works. */
export async function openSession(
  flags: Flags & NetworkFlags & { language?: string; runtime?: string; policy?: string; ttl?: string; limit?: string[]; minTier?: number },
  terminal: Terminal,
): Promise<number> {
  const ttl = flags.ttl === undefined ? undefined : parseDuration(flags.ttl);
  if (ttl === null) throw usage(`--ttl ${flags.ttl} is no duration`, "For example 90s or 10m.");
  if ((flags.language === undefined) === (flags.runtime === undefined)) throw usage("give --language or --runtime", "Such as --language python3.");
  const what = flags.runtime === undefined ? { language: chooseLanguage("-", "", flags.language) } : { runtime: flags.runtime };
  const limits = (flags.limit ?? []).length > 0 ? { limits: parseLimits(flags.limit ?? []) } : {};
  const opened = await clientOf(flags).openSession({ ...what, policy: flags.policy, ttl_ms: ttl, min_tier: flags.minTier, ...limits, ...parseNetwork(flags) });
  if (flags.json) json(terminal, opened);
  else line(terminal.out, opened.id);
  return 0;
}

export async function closeSession(id: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).closeSession(id);
  if (flags.json) json(terminal, { id, closed: true });
  else line(terminal.out, `closed ${printable(id)}`);
  return 0;
}

export async function listSessions(flags: Flags & { limit: number; cursor?: string }, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listSessions({ limit: flags.limit, cursor: flags.cursor });
  if (flags.json) json(terminal, page);
  else {
    const rows = page.data.map((session) => [session.id, session.created_at.slice(0, 19), session.language, session.status, { text: policyWords(session) }]);
    for (const text of renderTable(["ID", "OPENED", "LANGUAGE", "STATUS", "POLICY"], rows, terminal)) line(terminal.out, text);
    if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  }
  return 0;
}

export async function showSession(id: string, flags: Flags, terminal: Terminal): Promise<number> {
  const session = await clientOf(flags).getSession(id);
  const facts: [string, string | null][] = [
    ["Status", `${session.status}${session.close_reason === null ? "" : `: ${session.close_reason}`}`],
    ["Language", session.runtime ? `${session.language}, with ${session.runtime}` : session.language],
    ["Policy", policyWords(session)],
    ["Network", networkWords(session.network)],
    ["Opened", session.created_at],
    ["Ends", session.expires_at],
  ];
  if (flags.json) json(terminal, session);
  else {
    line(terminal.out, terminal.paint("bold", session.id));
    for (const [name, value] of facts) line(terminal.out, `${terminal.paint("dim", name.padEnd(10))}${printable(value ?? "")}`);
  }
  return 0;
}

/** An open session keeps the policy that it was opened with. */
function policyWords({ policy, policy_current, status }: Session): string {
  const version = policy.version === null ? "" : ` version ${policy.version}`;
  const outdated = policy_current || status !== "open" ? "" : " (changed since: this session keeps the old one, a new one gets the new)";
  return printable(`${policy.name}${version}`) + outdated;
}

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}
