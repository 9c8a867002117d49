import type { Runtime } from "@plastron/contracts";
import { Client } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { chooseLanguage } from "../run/language.ts";
import { parseDuration, parseLimits } from "../run/limits.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

/** Prints the id alone, so that `S=$(plastron session open -l python3)` works. */
export async function openSession(
  flags: Flags & { language: string; policy?: string; ttl?: string; limit?: string[]; minTier?: number },
  terminal: Terminal,
): Promise<number> {
  const ttl = flags.ttl === undefined ? undefined : parseDuration(flags.ttl);
  if (ttl === null) throw usage(`--ttl ${flags.ttl} is no duration`, "For example 90s or 10m.");
  const language: Runtime = chooseLanguage("-", "", flags.language);
  const limits = (flags.limit ?? []).length > 0 ? { limits: parseLimits(flags.limit ?? []) } : {};
  const opened = await clientOf(flags).openSession({ language, policy: flags.policy, ttl_ms: ttl, min_tier: flags.minTier, ...limits });
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

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}
