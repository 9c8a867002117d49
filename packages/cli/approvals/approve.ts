import type { Approvals, Finding, ScanResult } from "@plastron/contracts";
import { type ProjectFile, writeProjectFile } from "../project-file/file.ts";
import { line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

/**
 * Writes what the artifact offers now as approved, and says what changed since it last was. Asks nothing: who calls this has read it. Nothing is written while something in it is malice that
 * is not named (`despite`) or exempted. Exit 0: written, or as it was; 1: malice; 2: not all was seen, so not all could be approved.
 */
export function approve(result: ScanResult, file: ProjectFile, before: Approvals | null, despite: readonly string[], terminal: Terminal): number {
  const malice = result.findings.filter(({ verdict, state, fingerprint }) => verdict === "malice" && state === "open" && !despite.includes(fingerprint));
  if (malice.length > 0) return refuse(malice, terminal);
  const now = result.offers ?? {};
  const changes = changesOf(before?.offers ?? {}, now);
  for (const { sign, id, words } of changes) line(terminal.out, `${terminal.paint(STYLES[sign], sign)} ${printable(id)}  ${terminal.paint("dim", words)}`);
  if (changes.length > 0 || before === null) writeProjectFile(file, `${JSON.stringify({ version: 1, offers: sorted(now) }, null, 2)}\n`);
  const count = Object.keys(now).length;
  line(
    terminal.out,
    `${count === 1 ? "1 tool or skill is" : `${count} tools and skills are`} approved in ${printable(file.path)}${changes.length === 0 ? ", as before" : ""}`,
  );
  if (result.status === "complete") return 0;
  line(terminal.err, terminal.paintErr("yellow", "Not all of it was looked at: what was not seen is not approved. The report without --approve says what."));
  return 2;
}

const STYLES = { "+": "green", "~": "yellow", "-": "dim" } as const;

interface Change {
  readonly sign: keyof typeof STYLES;
  readonly id: string;
  readonly words: string;
}

function changesOf(before: Approvals["offers"], now: Approvals["offers"]): Change[] {
  const [old, present] = [new Map(Object.entries(before)), new Map(Object.entries(now))];
  return [...new Set([...old.keys(), ...present.keys()])].sort().flatMap((id): Change[] => {
    const [was, is] = [old.get(id), present.get(id)];
    if (was === is) return [];
    if (was === undefined) return [{ sign: "+", id, words: "was not approved before" }];
    if (is === undefined) return [{ sign: "-", id, words: "is there no more" }];
    return [{ sign: "~", id, words: `says something else than before: ${was.slice(0, 12)} → ${is.slice(0, 12)}` }];
  });
}

const sorted = (offers: Approvals["offers"]) => Object.fromEntries(Object.entries(offers).sort(([a], [b]) => (a < b ? -1 : 1)));

function refuse(malice: readonly Finding[], { out, err, paint, paintErr }: Terminal): number {
  for (const { place, title, fingerprint } of malice)
    line(out, `${paint("red", "malice")} ${printable(`${place.path}:${place.line}`)}  ${printable(title)}  ${paint("dim", fingerprint)}`);
  line(err, paintErr("yellow", "Nothing was approved: it seems made to do harm. What you know better of, name by its fingerprint: --despite FINGERPRINT."));
  return 1;
}
