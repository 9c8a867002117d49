import { Client, type Run, type RunBody } from "../client/client.ts";
import { findConnection } from "../client/connection.ts";
import { inPolicyFile, usage } from "../failure.ts";
import { resolveHome } from "../lifecycle/home.ts";
import { writeArtifacts } from "../run/artifacts.ts";
import { exitCodeOf, explain } from "../run/exit-code.ts";
import { parseEnv, readFiles, readPipedStdin, readProgram } from "../run/inputs.ts";
import { chooseLanguage } from "../run/language.ts";
import { parseLimits } from "../run/limits.ts";
import { type NetworkFlags, parseNetwork } from "../run/network.ts";
import { type Orders, type Streamed, streamRun } from "../run/stream.ts";
import { startProgress } from "../terminal/progress.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { printable } from "../terminal/width.ts";
import type { PolicySource } from "../violations/place.ts";
import { sayViolations } from "../violations/say.ts";

interface Flags extends NetworkFlags {
  language?: string;
  runtime?: string;
  project?: string;
  artifact?: string;
  entry?: string;
  policy?: string;
  policyFile?: string;
  upstreamCompat?: boolean;
  minTier?: number;
  limit?: string[];
  env?: string[];
  file?: string[];
  collect?: string[];
  out?: string;
  overwrite?: boolean;
  stdin: boolean;
  home?: string;
  json?: boolean;
  trace?: boolean;
  traceJson?: boolean;
  quiet?: boolean;
  here?: boolean;
}

/** `plastron run`: exits as the program does. */
export async function run(file: string | undefined, args: string[], flags: Flags, terminal: Terminal): Promise<number> {
  const [limits, network] = [parseLimits(flags.limit ?? []), parseNetwork(flags)];
  const stored = storedProgram(flags);
  const body = stored
    ? { ...(await readInputs("", file === undefined ? args : [file, ...args], flags, terminal)), ...stored }
    : await readBody(file, args, flags, terminal);
  if (flags.runtime !== undefined && flags.language !== undefined) throw usage("--runtime and --language cannot both be given", "A runtime has a language.");
  if (flags.runtime !== undefined) body.runtime = flags.runtime;
  else body.language = chooseLanguage(stored?.entry ?? file ?? "-", body.code ?? "", flags.language);
  if (flags.project !== undefined) body.project = flags.project;
  Object.assign(body, flags.policy === undefined ? {} : { policy: flags.policy }, flags.minTier === undefined ? {} : { min_tier: flags.minTier });
  if (Object.keys(limits).length > 0) body.limits = limits;
  Object.assign(body, network);
  const source = await policyFile(flags, terminal);
  if (source) Object.assign(body, { policy_yaml: source.text, upstream_compat: flags.upstreamCompat });
  const start = flags.here ? (await import("../run/own-run.ts")).ownOrders(body, source) : served(body, flags);
  return source ? inPolicyFile(source.name, () => carryOut(start, flags, terminal, source)) : carryOut(start, flags, terminal);
}

/** `--artifact` and `--entry`: the server has the program, and its files. */
function storedProgram({ artifact, entry, file, here, project }: Flags): { artifact: string; entry: string } | null {
  if ((artifact !== undefined || project !== undefined) && here) throw usage("artifacts and projects are the server's", "Leave out --here.");
  if (artifact === undefined && entry === undefined) return null;
  if (artifact === undefined || entry === undefined) throw usage("--artifact and --entry go together", "--entry is the path of one of the artifact's files.");
  if (file !== undefined) throw usage("--file cannot be given with --artifact", "An artifact runs with its own files and no others.");
  return { artifact, entry };
}

function served(body: RunBody, flags: Flags): Orders {
  const client = new Client(findConnection(resolveHome(flags.home)));
  return { client, plain: () => client.run(body), events: () => client.streamRun(body) };
}

/** `plastron session run`: the session has the language and the limits; only the time is this run's own. */
export async function runInSession(id: string, file: string | undefined, args: string[], flags: Flags, terminal: Terminal): Promise<number> {
  const { wall_ms, ...others } = parseLimits(flags.limit ?? []);
  if (Object.keys(others).length > 0) throw usage("a session's limits are set when it is opened", "Only --limit wall=… is a run's own.");
  const body = await readBody(file, args, flags, terminal);
  if (wall_ms !== undefined) body.timeout_ms = wall_ms;
  const client = new Client(findConnection(resolveHome(flags.home)));
  return await carryOut({ client, plain: () => client.runInSession(id, body), events: () => client.streamInSession(id, body) }, flags, terminal);
}

/** `--policy-file`: the policy goes along with the run. */
async function policyFile(flags: Flags, terminal: Terminal): Promise<PolicySource | undefined> {
  if (flags.policyFile === undefined) {
    if (flags.upstreamCompat) throw usage("--upstream-compat needs --policy-file", "A stored policy was stored with it or without.");
    return undefined;
  }
  if (flags.policy !== undefined) throw usage("--policy and --policy-file cannot both be given");
  if (flags.policyFile === "-") throw usage("--policy-file cannot be standard input", "Standard input is the program's.");
  return { name: flags.policyFile, text: await readProgram(flags.policyFile, terminal) };
}

async function readBody(file: string | undefined, args: string[], flags: Flags, terminal: Terminal): Promise<RunBody> {
  if (file === undefined) throw usage("missing required argument 'file|-'", "Name the program, or - for standard input.");
  const code = await readProgram(file, terminal);
  return { code, ...(await readInputs(file, args, flags, terminal)), files: readFiles(flags.file ?? []) };
}

/** All but the program. */
async function readInputs(file: string, args: string[], flags: Flags, terminal: Terminal): Promise<RunBody> {
  const collect = flags.collect ?? [];
  if (collect.length > 0 && flags.out === undefined && !flags.json) throw usage("--collect needs --out", "Name the directory that collected files go to.");
  if (flags.out !== undefined && collect.length === 0) throw usage("--out needs --collect", "Name the files to bring back, such as --collect 'out/**'.");
  const stdin = file === "-" || !flags.stdin ? "" : await readPipedStdin(terminal);
  const trace = flags.trace || flags.traceJson ? { trace: true } : {};
  return { args, env: parseEnv(flags.env ?? []), stdin, collect, ...trace };
}

async function carryOut(orders: Orders, flags: Flags, terminal: Terminal, source?: PolicySource): Promise<number> {
  const { run: finished, interrupted } = flags.json ? await waitForResult(orders, terminal) : await streamRun(orders, terminal);
  if (flags.out !== undefined) bringBack(finished, flags.out, flags.overwrite === true, terminal);
  if (flags.json) json(terminal, finished);
  else {
    say(finished, terminal);
    await explainRun(finished, flags, source, orders.client, terminal);
  }
  return interrupted && finished.status === "killed" ? 130 : exitCodeOf(finished);
}

/** What it did, or only what was denied. */
async function explainRun(finished: Run, flags: Flags, source: PolicySource | undefined, client: Orders["client"], terminal: Terminal): Promise<void> {
  if (flags.traceJson || flags.trace) {
    const { sayTrace, traceDocument } = await import("../trace/trace.ts");
    if (flags.traceJson) line(terminal.err, JSON.stringify(traceDocument(finished), null, 2));
    else await sayTrace(finished, source, client, terminal);
  } else if (!flags.quiet && finished.violations?.length) await sayViolations(finished, source, client, terminal);
}

/** Ctrl-C here closes the connection, which ends the run: there is no partial document to wait for. */
async function waitForResult(orders: Orders, terminal: Terminal): Promise<Streamed> {
  const progress = startProgress(terminal, "running");
  return { run: await orders.plain().finally(() => progress.done()), interrupted: false };
}

function bringBack(finished: Run, out: string, overwrite: boolean, terminal: Terminal): void {
  const written = writeArtifacts(finished.artifacts, out, overwrite);
  if (terminal.interactive) line(terminal.err, terminal.paintErr("dim", `${written.length} file${written.length === 1 ? "" : "s"} collected to ${out}`));
  for (const artifact of finished.artifacts.filter((one) => one.truncated)) {
    line(terminal.err, terminal.paintErr("yellow", `plastron: ${printable(artifact.path)} was cut at the size limit of collected files`));
  }
}

function say(finished: Run, terminal: Terminal): void {
  const words = explain(finished);
  if (words !== null) line(terminal.err, terminal.paintErr("yellow", `plastron: ${printable(words)}`));
}
