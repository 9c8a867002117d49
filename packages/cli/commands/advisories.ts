import { readFileSync } from "node:fs";
import {
  type AdvisoryIndex,
  ageInDays,
  asOf,
  countAdvisories,
  IndexDamaged,
  type IndexManifest,
  openAdvisories,
  openPreviousAdvisories,
  type Rematched,
  rematch,
  type StoredSbom,
  updateAdvisories,
  verifyStore,
} from "@plastron/scan";
import { advisoriesDirectory } from "../advisories/home.ts";
import { Failure, usage } from "../failure.ts";
import { startProgress } from "../terminal/progress.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

export interface UpdateFlags extends Flags {
  from: string[];
  mirror?: string;
  key?: string;
  unpin?: boolean;
  allowSmaller?: boolean;
}

/** Exit 0 when new advisories are in use; else what was in use still is. */
export async function updateCommand(flags: UpdateFlags, terminal: Terminal): Promise<number> {
  if (flags.mirror !== undefined && flags.from.length > 0) throw usage("--mirror and --from exclude each other", "A mirror's index is taken whole.");
  if (flags.key !== undefined && flags.mirror === undefined) throw usage("--key is the key of a mirror", "Name it with --mirror ADDRESS.");
  const key = flags.key === undefined ? undefined : readGiven(flags.key);
  const progress = startProgress(terminal, "reading advisories", 300);
  try {
    const manifest = await updateAdvisories(
      { directory: advisoriesDirectory(flags.home) },
      {
        from: flags.from,
        mirror: flags.mirror,
        key,
        unpin: flags.unpin,
        smaller: flags.allowSmaller,
        now: new Date(),
        onSource: (name) => progress.say(`reading ${printable(name)}`),
      },
    );
    progress.done();
    if (flags.json) json(terminal, summary(manifest));
    else show(manifest, terminal);
    return 0;
  } catch (error) {
    progress.done();
    if (error instanceof Failure) throw error;
    const refused = error instanceof IndexDamaged ? `refused (${error.reason}): ` : "";
    throw new Failure("invalid_request", `${refused}${printable((error as Error).message)}`, { hint: "What was in use is still in use.", cause: error });
  }
}

export async function statusCommand(flags: Flags & { maxAge: string }, terminal: Terminal): Promise<number> {
  const most = Number(flags.maxAge);
  if (!/^\d{1,5}$/.test(flags.maxAge)) throw usage("--max-age is a number of days");
  const index = openAdvisories(advisoriesDirectory(flags.home));
  const days = ageInDays(index.manifest, new Date());
  if (flags.json)
    json(terminal, {
      ...summary(index.manifest),
      id: index.id,
      days,
      damage: index.damage === undefined ? null : { reason: index.damage.reason, detail: index.damage.message },
    });
  else if (index.damage) line(terminal.err, `${terminal.paintErr("red", "damaged")} ${printable(index.damage.message)} [${index.damage.reason}]`);
  else show(index.manifest, terminal);
  if (index.damage) return 2;
  return index.manifest.seed || days > most ? 1 : 0;
}

export async function verifyCommand(flags: Flags, terminal: Terminal): Promise<number> {
  try {
    const whole = verifyStore({ directory: advisoriesDirectory(flags.home) });
    if (flags.json) json(terminal, whole === null ? { whole: true, seed: true } : { whole: true, seed: false, id: whole.index.id, pages: whole.pages });
    else
      line(
        terminal.out,
        whole === null ? "there are no advisories but the seed" : `whole: ${whole.pages} pages, signed, build ${whole.index.manifest.sequence}`,
      );
    return 0;
  } catch (error) {
    if (!(error instanceof IndexDamaged)) throw error;
    if (flags.json) json(terminal, { whole: false, reason: error.reason, detail: error.message });
    else line(terminal.err, `${terminal.paintErr("red", "changed")} ${printable(error.message)} [${error.reason}]`);
    return 1;
  }
}

export async function rematchCommand(files: readonly string[], flags: Flags, terminal: Terminal): Promise<number> {
  const directory = advisoriesDirectory(flags.home);
  const after = openAdvisories(directory);
  if (after.damage) throw new Failure("invalid_request", printable(after.damage.message), { hint: "`plastron advisories update` makes them anew." });
  const before: AdvisoryIndex = openPreviousAdvisories(directory);
  const found = rematch(files.map(stored), before, after);
  if (flags.json) json(terminal, { ...found, before: before.id, after: after.id });
  else {
    for (const each of found.opened) line(terminal.out, words(each, terminal.paint("red", "new ")));
    for (const each of found.closed) line(terminal.out, words(each, terminal.paint("green", "gone")));
    for (const { id, reason } of found.unreadable) line(terminal.err, `${terminal.paintErr("yellow", "unread")} ${printable(id)}: ${printable(reason)}`);
    line(terminal.out, `${found.opened.length} new, ${found.closed.length} gone, in ${files.length} bills of materials`);
  }
  return found.opened.length > 0 ? 1 : found.unreadable.length > 0 ? 2 : 0;
}

function words({ id, name, version, advisory, severity, summary: about, fixed }: Rematched, mark: string): string {
  const fix = fixed[0] === undefined ? "" : `; fixed in ${fixed[0]}`;
  return `${mark}  ${severity.padEnd(8)} ${printable(`${name} ${version}: ${about} (${advisory}${fix}) in ${id}`)}`;
}

/** A bill of materials as it is, or the one within a scan's result. */
function stored(file: string): StoredSbom {
  try {
    const document = JSON.parse(readFileSync(file, "utf8")) as { sbom?: unknown };
    return { id: file, sbom: document.sbom ?? document };
  } catch (error) {
    throw usage(`${printable(file)} cannot be read: ${(error as Error).message}`, "Give JSON files.");
  }
}

function readGiven(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw usage(`${printable(file)} cannot be read: ${(error as Error).message}`, "Give the public key as PEM.");
  }
}

function summary(manifest: IndexManifest) {
  const { seed, sequence, built_at, sources, refused } = manifest;
  const ecosystems = manifest.ecosystems.map(({ pages: _, ...each }) => each);
  return { seed, sequence, built_at, as_of: asOf(manifest), sources, ecosystems, kev: manifest.exploitation.kev, epss: manifest.exploitation.epss, refused };
}

function show(manifest: IndexManifest, terminal: Terminal): void {
  const { paint, out } = terminal;
  const days = ageInDays(manifest, new Date());
  if (manifest.seed)
    line(
      out,
      `${paint("yellow", "seed")}  ${countAdvisories(manifest)} advisories that come with Plastron: \`plastron advisories update\` brings all there are`,
    );
  else line(out, `${paint("bold", `${countAdvisories(manifest)} advisories`)}, the newest change ${days} days old, build ${manifest.sequence}`);
  const rows = manifest.ecosystems.map((each) => [printable(each.name), String(each.packages), String(each.advisories), String(each.malicious)]);
  for (const text of renderTable(["ECOSYSTEM", "PACKAGES", "ADVISORIES", "MALICIOUS"], rows, terminal)) line(out, text);
  const { kev, epss } = manifest.exploitation;
  line(out, paint("dim", `exploited in the wild: ${kev}; with a chance of exploitation: ${epss}`));
  for (const { kind, name, documents, newest } of manifest.sources)
    line(out, paint("dim", `${kind.padEnd(5)} ${printable(name)}: ${documents} documents, newest ${printable(newest ?? "unknown")}`));
}
