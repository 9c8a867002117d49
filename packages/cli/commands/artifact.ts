import { findConnection } from "../client/connection.ts";
import { ScanClient } from "../client/scans.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { bring } from "../scan/bring.ts";
import { stoppedBySignals } from "../scan/stop.ts";
import { startProgress } from "../terminal/progress.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

/** The digest alone on stdout, so that `DIGEST=$(plastron artifact upload DIR)` works. */
export async function uploadArtifact(what: string, flags: Flags & { all?: boolean }, terminal: Terminal): Promise<number> {
  const progress = startProgress(terminal, `bringing ${printable(what)}`);
  const stop = stoppedBySignals();
  try {
    const stored = await bring(what, clientOf(flags), { all: flags.all ?? false, signal: stop.signal });
    progress.done();
    if (flags.json) json(terminal, stored);
    else {
      line(terminal.err, terminal.paintErr("dim", `${printable(stored.name)}: ${stored.files} files, ${stored.bytes} bytes`));
      line(terminal.out, stored.digest);
    }
    return 0;
  } finally {
    progress.done();
    stop.release();
  }
}

export async function listArtifacts(flags: Flags & { limit: number; cursor?: string }, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listArtifacts({ limit: flags.limit, cursor: flags.cursor });
  if (flags.json) {
    json(terminal, page);
    return 0;
  }
  const rows = page.data.map((each) => [each.digest, each.kind, printable(each.name), String(each.files), String(each.bytes), each.created_at.slice(0, 19)]);
  for (const text of renderTable(["DIGEST", "KIND", "NAME", "FILES", "BYTES", "BROUGHT"], rows, terminal)) line(terminal.out, text);
  if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  return 0;
}

export async function removeArtifact(digest: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).deleteArtifact(digest);
  if (flags.json) json(terminal, { digest, removed: true });
  else line(terminal.out, `removed ${printable(digest)}`);
  return 0;
}

function clientOf(flags: Flags): ScanClient {
  return new ScanClient(findConnection(resolveHome(flags.home)));
}
