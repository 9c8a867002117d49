import { findConnection } from "../client/connection.ts";
import { ScanClient, type StoredFinding } from "../client/scans.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  scan?: string;
  artifact?: string;
  project?: string;
  severity?: string;
  analyser?: string;
  state?: string;
  rule?: string;
  cve?: string;
  package?: string;
  text?: string;
  limit: number;
  cursor?: string;
  home?: string;
  json?: boolean;
}

/** Findings that the server keeps: of the newest scan of each artifact where none is named. */
export async function findings({ home, json: asJson, ...query }: Flags, terminal: Terminal): Promise<number> {
  const page = await new ScanClient(findConnection(resolveHome(home))).findings(query);
  if (asJson) json(terminal, page);
  else if (page.data.length === 0) line(terminal.err, terminal.paintErr("dim", "nothing was found"));
  else {
    for (const text of renderTable(["SEVERITY", "RULE", "WHERE", "WHAT", "ARTIFACT"], page.data.map(row), terminal)) line(terminal.out, text);
    if (page.next_cursor) line(terminal.err, terminal.paintErr("dim", `more: --cursor ${page.next_cursor}`));
  }
  return 0;
}

function row({ severity, rule, place, title, state, artifact }: StoredFinding): string[] {
  const where = `${place.path}${place.line ? `:${place.line}` : ""}`;
  return [state === "exempted" ? `(${severity})` : severity, printable(rule), printable(where), printable(title), artifact.slice(0, 12)];
}
