import { findConnection } from "../client/connection.ts";
import { ScanClient } from "../client/scans.ts";
import { inFile } from "../failure.ts";
import { exitOfDecision, sayAdmission } from "../gate/admission.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { readProgram } from "../run/inputs.ts";
import { renderTable } from "../terminal/table.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}

/** What is not named goes back to its default: the command says all that a project is. */
export async function putProject(
  name: string,
  flags: Flags & { demandPassed?: boolean; gate?: string; environment?: string; exemptions?: string },
  terminal: Terminal,
): Promise<number> {
  const [gate, exemptions] = [await documentOf(flags.gate, terminal), await exemptionsOf(flags.exemptions, terminal)];
  const body = { admission: flags.demandPassed ? "passed" : "open", gate, environment: flags.environment ?? null, exemptions } as const;
  const put = () => clientOf(flags).putProject(name, body);
  const project = flags.gate === undefined ? await put() : await inFile(flags.gate, "invalid_document", put);
  if (flags.json) json(terminal, project);
  else line(terminal.out, `${printable(project.name)} ${meaning(project.admission)}`);
  return 0;
}

export async function listProjects(flags: Flags, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listProjects();
  const rows = page.data.map((each) => [
    each.name,
    each.admission,
    each.gate === null ? "default" : "own",
    each.environment ?? "",
    each.exemptions === null ? "" : "own",
    each.updated_at.slice(0, 19),
  ]);
  if (flags.json) json(terminal, page);
  else for (const text of renderTable(["NAME", "RUNS", "GATE", "ENVIRONMENT", "EXEMPTIONS", "CHANGED"], rows, terminal)) line(terminal.out, printable(text));
  return 0;
}

export async function showProject(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  const client = clientOf(flags);
  const [project, admissions] = await Promise.all([client.getProject(name), client.admissions(name, { limit: 20 })]);
  if (flags.json) {
    json(terminal, { ...project, admissions: admissions.data });
    return 0;
  }
  line(terminal.out, `${printable(project.name)} ${meaning(project.admission)}`);
  if (project.environment !== null) line(terminal.out, `environment ${printable(project.environment)}`);
  if (project.exemptions !== null) line(terminal.out, "has exemptions of its own: --json shows them");
  for (const admission of admissions.data) {
    line(terminal.out, `${admission.decided_at.slice(0, 19)}  ${admission.artifact}`);
    sayAdmission(admission, terminal.out, terminal.paint);
  }
  return 0;
}

export async function removeProject(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).deleteProject(name);
  if (flags.json) json(terminal, { name, removed: true });
  else line(terminal.out, `removed ${printable(name)}`);
  return 0;
}

/** Exit as of `plastron gate`: 0 passed, 1 denied, 2 held. */
export async function admitArtifact(name: string, artifact: string, flags: Flags, terminal: Terminal): Promise<number> {
  const admission = await clientOf(flags).admit(name, artifact);
  if (flags.json) json(terminal, admission);
  else sayAdmission(admission, terminal.out, terminal.paint);
  return exitOfDecision(admission);
}

const documentOf = (file: string | undefined, terminal: Terminal): Promise<string | null> =>
  file === undefined ? Promise.resolve(null) : readProgram(file, terminal);

/** Looked through here first: of two documents the server does not say which one it means. */
async function exemptionsOf(file: string | undefined, terminal: Terminal): Promise<string | null> {
  const text = await documentOf(file, terminal);
  if (file === undefined || text === null) return null;
  const { parseExemptions } = await import("@plastron/scan");
  await inFile(file, "invalid_document", async () => parseExemptions(text));
  return text;
}

const meaning = (admission: "open" | "passed"): string =>
  admission === "passed" ? "runs artifacts that passed its gate, and nothing else" : "runs what it is given";

function clientOf(flags: Flags): ScanClient {
  return new ScanClient(findConnection(resolveHome(flags.home)));
}
