import { Client, type RuntimeHead } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { parseDuration } from "../run/limits.ts";
import { build } from "../runtime/build.ts";
import { readPackages } from "../runtime/packages.ts";
import { showList, showOne, size } from "../runtime/show.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";

interface Flags {
  home?: string;
  json?: boolean;
}
interface BuildFlags extends Flags {
  from?: string;
  packages?: string[];
  timeout?: string;
}

/** `plastron runtime create`. Prints what was made; what the installer says goes to standard error. */
export async function createRuntime(name: string, flags: BuildFlags, terminal: Terminal): Promise<number> {
  const from = (["python3", "nodejs"] as const).find((one) => one === flags.from);
  if (!from) throw usage(`--from ${flags.from} is no interpreter`, "It is python3 or nodejs.");
  if (!flags.packages?.length) throw usage("--packages is missing", "Such as --packages numpy==1.26.4,pandas or --packages requirements.txt.");
  const body = { name, from, ...readPackages(flags.packages, from), ...timeoutOf(flags) };
  return made(await build(clientOf(flags), "/v1/runtimes", body, terminal), flags, terminal);
}

/** Without --packages: what the current version was asked for, as the registry has it now. */
export async function updateRuntime(name: string, flags: BuildFlags, terminal: Terminal): Promise<number> {
  const body = { ...(flags.packages?.length ? readPackages(flags.packages, undefined) : {}), ...timeoutOf(flags) };
  return made(await build(clientOf(flags), `/v1/runtimes/${encodeURIComponent(name)}/versions`, body, terminal), flags, terminal);
}

export async function listRuntimes(flags: Flags, terminal: Terminal): Promise<number> {
  const page = await clientOf(flags).listRuntimes();
  if (flags.json) json(terminal, page);
  else if (page.data.length === 0) line(terminal.out, "no runtime has packages of its own; `plastron runtime create` makes one");
  else showList(page.data, terminal);
  return 0;
}

export async function showRuntime(reference: string, flags: Flags & { lock?: boolean }, terminal: Terminal): Promise<number> {
  const [name = "", version] = reference.split("@");
  if (version !== undefined && !/^[1-9]\d*$/.test(version)) throw usage(`${reference} is not NAME or NAME@VERSION`);
  const found = await clientOf(flags).getRuntime(name, { version: version === undefined ? undefined : Number(version) });
  if (flags.json) json(terminal, found);
  else if (flags.lock) terminal.out.write(found.lock);
  else showOne(found, terminal);
  return 0;
}

export async function rollBackRuntime(name: string, version: number, flags: Flags, terminal: Terminal): Promise<number> {
  const now = await clientOf(flags).rollBackRuntime(name, version);
  if (flags.json) json(terminal, now);
  else line(terminal.out, `${printable(name)} is version ${now.version}`);
  return 0;
}

export async function deleteRuntime(name: string, flags: Flags, terminal: Terminal): Promise<number> {
  await clientOf(flags).deleteRuntime(name);
  if (flags.json) json(terminal, { name, deleted: true });
  else line(terminal.out, `deleted ${printable(name)}`);
  return 0;
}

export async function pruneRuntimes(flags: Flags, terminal: Terminal): Promise<number> {
  const gone = await clientOf(flags).pruneRuntimes();
  if (flags.json) json(terminal, gone);
  else
    line(terminal.out, `${gone.versions} old version${gone.versions === 1 ? "" : "s"} forgotten, ${gone.images} image${gone.images === 1 ? "" : "s"} removed`);
  return 0;
}

function made(runtime: RuntimeHead, flags: Flags, terminal: Terminal): number {
  if (flags.json) json(terminal, runtime);
  else line(terminal.out, `${printable(runtime.name)} version ${runtime.version}: ${runtime.packages_total} packages, ${size(runtime.bytes)}`);
  return 0;
}

function timeoutOf({ timeout }: BuildFlags): { timeout_ms?: number } {
  if (timeout === undefined) return {};
  const timeout_ms = parseDuration(timeout);
  if (timeout_ms === null) throw usage(`--timeout ${timeout} is no duration`, "For example 90s or 10m.");
  return { timeout_ms };
}

function clientOf(flags: Flags): Client {
  return new Client(findConnection(resolveHome(flags.home)));
}
