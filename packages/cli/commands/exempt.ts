import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { addDays, type Exemption, parseExemptions } from "@plastron/scan";
import { withAdded, withEnd } from "../exemptions/edit.ts";
import { exemptionsOf, openExemptions, today } from "../exemptions/file.ts";
import { scopeWords, showExemptions, standingOf } from "../exemptions/show.ts";
import { Failure, usage } from "../failure.ts";
import { writeProjectFile } from "../project-file/file.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

export interface AddFlags {
  fingerprint?: string;
  advisory?: string;
  dependency?: string;
  versions?: string;
  through?: string[];
  rule?: string;
  path?: string;
  reason: string;
  approver: string;
  author?: string;
  days: number;
  status?: Exemption["status"];
  justification?: Exemption["justification"];
  id?: string;
}

/** Adds one to the file; nothing is written that would not be valid. */
export async function addExemption(directory: string, flags: AddFlags, terminal: Terminal): Promise<number> {
  const file = openExemptions(directory);
  const existing = exemptionsOf(file);
  const exemption = exemptionOf(directory, flags, existing);
  const text = withAdded(file.text, exemption);
  try {
    parseExemptions(text);
  } catch (error) {
    const [first] = (error as Failure).errors ?? [];
    throw new Failure("invalid_request", first?.message ?? (error as Error).message, { hint: "Nothing was written.", cause: error });
  }
  writeProjectFile(file, text);
  line(terminal.out, `${exemption.id} until ${exemption.expires}: ${printable(scopeWords(exemption))}`);
  line(terminal.err, terminal.paintErr("dim", "In a gate it counts once it stands at the base: merge it by itself, or have its approver approve the change."));
  return 0;
}

function exemptionOf(directory: string, flags: AddFlags, existing: readonly Exemption[]): Exemption {
  const { fingerprint, advisory, dependency, versions, through, rule, path } = flags;
  const given = { fingerprint, advisory, dependency, versions, through, rule, path };
  const scope = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const created = today();
  return {
    id: flags.id ?? freeId(created, existing),
    scope,
    reason: flags.reason,
    author: flags.author ?? gitUser(directory),
    approver: flags.approver,
    created,
    expires: addDays(created, flags.days),
    status: flags.status ?? "accepted",
    ...(flags.justification ? { justification: flags.justification } : {}),
  };
}

function freeId(day: string, existing: readonly Exemption[]): string {
  const taken = new Set(existing.map(({ id }) => id));
  for (let number = 1; ; number++) {
    const id = `EX-${day.replaceAll("-", "")}-${number}`;
    if (!taken.has(id)) return id;
  }
}

function gitUser(directory: string): string {
  try {
    return execFileSync("git", ["-C", resolve(directory), "config", "user.email"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch (error) {
    throw new Failure("invalid_request", "who asks for it is not known", { hint: "Give --author, or set git's user.email.", cause: error });
  }
}

export async function listExemptions(directory: string, flags: { json?: boolean }, terminal: Terminal): Promise<number> {
  const exemptions = exemptionsOf(openExemptions(directory));
  const day = today();
  if (flags.json)
    json(
      terminal,
      exemptions.map((exemption) => ({ ...exemption, standing: standingOf(exemption, day) })),
    );
  else if (exemptions.length === 0) line(terminal.err, terminal.paintErr("dim", "nothing is exempted"));
  else showExemptions(exemptions, day, terminal);
  return 0;
}

/** Exit 0: valid, and all hold; 1: some have expired; 2: not valid, which is thrown. */
export async function checkExemptions(directory: string, terminal: Terminal): Promise<number> {
  const file = openExemptions(directory);
  const exemptions = exemptionsOf(file);
  const day = today();
  const expired = exemptions.filter((exemption) => standingOf(exemption, day) === "expired");
  for (const { id, expires } of expired)
    line(terminal.out, `${terminal.paint("red", "expired")} ${id} on ${expires}: renew it with its approver, or delete it`);
  const soon = exemptions.filter((exemption) => standingOf(exemption, day) === "ends soon");
  for (const { id, expires } of soon) line(terminal.out, `${terminal.paint("yellow", "ends soon")} ${id} on ${expires}`);
  line(
    terminal.out,
    file.text === null ? "there is no file of exemptions" : `${exemptions.length === 1 ? "1 exemption" : `${exemptions.length} exemptions`}, valid`,
  );
  return expired.length > 0 ? 1 : 0;
}

/** Ends one today: it no longer holds tomorrow, and the file keeps that it was. */
export async function expireExemption(id: string, directory: string, terminal: Terminal): Promise<number> {
  const file = openExemptions(directory);
  const exemption = exemptionsOf(file).find((each) => each.id === id);
  if (!exemption || file.text === null) throw usage(`there is no exemption ${id}`, "`plastron exempt list` shows all.");
  const day = today();
  if (standingOf(exemption, day) === "expired") throw usage(`${id} expired on ${exemption.expires} already`);
  const end = exemption.created < day ? day : addDays(exemption.created, 1);
  const text = withEnd(file.text, id, end);
  parseExemptions(text);
  writeProjectFile(file, text);
  line(terminal.out, `${id} ends on ${end}`);
  return 0;
}
