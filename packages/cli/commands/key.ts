import { Client } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
  tenant?: string;
}

/** The key alone on stdout, so that `KEY=$(plastron key create)` works; the words around it go to stderr. */
export async function createKey(flags: Flags & { name: string; scope?: string[]; project?: string }, terminal: Terminal): Promise<number> {
  const created = await clientOf(flags).createKey({
    name: flags.name,
    ...((flags.scope ?? []).length > 0 ? { scopes: flags.scope } : {}),
    tenant: flags.tenant,
    project: flags.project,
  });
  if (flags.json) {
    json(terminal, created);
    return 0;
  }
  line(terminal.err, terminal.paintErr("dim", `${created.id}, for ${created.scopes.join(", ")} of tenant ${created.tenant}; shown this once:`));
  line(terminal.out, created.key);
  return 0;
}

export async function listKeys(flags: Flags, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listKeys({ tenant: flags.tenant });
  if (flags.json) {
    json(terminal, page);
    return 0;
  }
  const rows = page.data.map((key) => [
    key.id,
    printable(key.name),
    key.scopes.join(","),
    key.created_at.slice(0, 19),
    key.revoked_at ? `revoked ${key.revoked_at.slice(0, 19)}` : "active",
  ]);
  for (const text of renderTable(["ID", "NAME", "SCOPES", "MADE", "STATE"], rows, terminal)) line(terminal.out, text);
  return 0;
}

export async function revokeKey(id: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).revokeKey(id, { tenant: flags.tenant });
  if (flags.json) json(terminal, { id, revoked: true });
  else line(terminal.out, `revoked ${printable(id)}`);
  return 0;
}

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}
