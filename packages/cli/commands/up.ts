import { spawn } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { Failure, type Report, toReport } from "../failure.ts";
import { CHECKOUT, prepareLogs, resolveHome, withCompileCache } from "../lifecycle/home.ts";
import { lastLines } from "../lifecycle/log-file.ts";
import type { PartOptions } from "../lifecycle/part-commands.ts";
import type { UpState } from "../lifecycle/state.ts";
import { startUp } from "../lifecycle/up.ts";
import { startProgress } from "../terminal/progress.ts";
import { json, line, type Terminal } from "../terminal/terminal.ts";
import { type PanelFacts, showLacks, showPanel } from "./up-panel.ts";

interface Flags {
  detach?: boolean;
  port: number;
  host: string;
  difyPort?: number;
  permissive?: boolean;
  clusterAddresses?: string;
  runNetwork?: "allow" | "deny";
  home?: string;
  json?: boolean;
  /** Hidden: the supervisor behind `--detach` says on this descriptor how its start went. */
  reportFd?: number;
}

/** What the detached supervisor tells the command that waits for it. */
type Told = { event: "ready"; facts: PanelFacts } | { event: "failed"; report: Report };

export async function up(flags: Flags, terminal: Terminal): Promise<number> {
  await checkCluster(flags);
  return flags.detach ? await detach(flags, terminal) : await foreground(flags, terminal);
}

/** The agent reads it again; whoever typed its name is told here what is wrong with it. */
async function checkCluster({ clusterAddresses }: Flags): Promise<void> {
  const named = process.env.PLASTRON_CLUSTER_ADDRESSES;
  if (!clusterAddresses && !named) return;
  const { readCluster } = await import("../policy-test/cluster.ts");
  await (clusterAddresses ? readCluster(clusterAddresses) : readCluster(named as string, "PLASTRON_CLUSTER_ADDRESSES"));
}

async function foreground(flags: Flags, terminal: Terminal): Promise<number> {
  const stopping = new AbortController();
  const asked = waitForSignal(stopping);
  const progress = startProgress(terminal, "starting the sandbox agent and the server");
  const options = upOptions(flags);
  let started: Awaited<ReturnType<typeof startUp>>;
  try {
    started = await startUp(options, stopping.signal, flags.reportFd === undefined ? teller(terminal) : () => {});
  } catch (error) {
    progress.done();
    if (stopping.signal.aborted) return 130;
    if (flags.reportFd !== undefined) tell(flags.reportFd, { event: "failed", report: await toReport(error) });
    throw error;
  }
  progress.done();
  const facts = { state: started.state, firstKey: started.firstKey, notes: [...started.notes, ...consentNotes(options.env)], home: options.home.root };
  if (flags.reportFd !== undefined) tell(flags.reportFd, { event: "ready", facts });
  else announce(facts, flags, terminal);
  await asked;
  if (terminal.interactive && flags.reportFd === undefined) line(terminal.err, terminal.paintErr("dim", "\nstopping …"));
  await started.stop();
  return 0;
}

/** Restarts, told where a person watches; they are in the part's log in any case. */
function teller(terminal: Terminal): (text: string) => void {
  return (text) => line(terminal.err, terminal.paintErr("dim", `${new Date().toTimeString().slice(0, 8)} ${text}`));
}

function upOptions(flags: Flags): PartOptions {
  return { home: resolveHome(flags.home), host: flags.host, port: flags.port, difyPort: flags.difyPort ?? null, env: { ...process.env, ...consent(flags) } };
}

/** What the operator lets policies and runs do: for the agent to hear, and the last for the server too. */
function consent({ permissive, clusterAddresses, runNetwork }: Flags): Record<string, string> {
  return {
    ...(runNetwork === undefined ? {} : { PLASTRON_RUN_NETWORK: runNetwork }),
    ...(permissive ? { PLASTRON_PERMISSIVE: "1" } : {}),
    ...(clusterAddresses === undefined ? {} : { PLASTRON_CLUSTER_ADDRESSES: resolve(clusterAddresses) }),
  };
}

/** What was allowed is said at every start: it is easily forgotten in a service's file. */
function consentNotes(env: NodeJS.ProcessEnv): string[] {
  return env.PLASTRON_PERMISSIVE === "1" ? ["permissive: policies may lift what the platform denies by itself (user namespaces, mounts, tracing, BPF)"] : [];
}

function announce(facts: PanelFacts, flags: Flags, terminal: Terminal): void {
  if (flags.json) json(terminal, readyDocument(facts));
  else {
    showPanel(facts, "foreground", terminal);
    if (terminal.interactive) void showLacks(terminal);
  }
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. A person who asks a second time wants to leave now. */
function waitForSignal(stopping: AbortController): Promise<void> {
  return new Promise((resolve) => {
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (stopping.signal.aborted && name === "SIGINT") process.exit(1);
        stopping.abort();
        resolve();
      });
    }
  });
}

/** Starts this same command as a process of its own and waits for its word. */
async function detach(flags: Flags, terminal: Terminal): Promise<number> {
  const home = resolveHome(flags.home);
  const logPath = prepareLogs(home, "up.log");
  const log = openSync(logPath, "a", 0o600);
  const args = ["up", "--home", home.root, "--port", String(flags.port), "--host", flags.host, "--report-fd", "3"];
  if (flags.difyPort !== undefined) args.push("--dify-port", String(flags.difyPort));
  const child = spawn(process.execPath, [join(CHECKOUT, "packages/cli/main.ts"), ...args], {
    detached: true,
    cwd: "/",
    env: withCompileCache({ ...process.env, ...consent(flags) }),
    stdio: ["ignore", log, log, "pipe"],
  });
  closeSync(log);
  const progress = startProgress(terminal, "starting the sandbox agent and the server");
  const told = await hear(child.stdio[3] as NodeJS.ReadableStream);
  progress.done();
  child.unref();
  if (told === null) {
    throw new Failure("start_failed", `it ended before it was ready: ${lastLines(logPath, 1)[0] ?? "without a word"}`, { hint: `Read ${logPath}.` });
  }
  if (told.event === "failed") throw new Failure(told.report.code, told.report.detail, { hint: told.report.hint, errors: told.report.errors });
  if (flags.json) json(terminal, readyDocument(told.facts));
  else showPanel(told.facts, "detached", terminal);
  return 0;
}

async function hear(stream: NodeJS.ReadableStream): Promise<Told | null> {
  for await (const text of createInterface({ input: stream })) return JSON.parse(text) as Told;
  return null;
}

function tell(fd: number, told: Told): void {
  try {
    writeSync(fd, `${JSON.stringify(told)}\n`);
    closeSync(fd);
  } catch {
    // Whoever waited is gone; the platform runs all the same.
  }
}

/** `up --json`: what a script needs. The key is there only on the start that made it. */
function readyDocument({ state, firstKey, home, notes }: PanelFacts): unknown {
  const { url, tier, driver, version } = state satisfies UpState;
  const pids = { supervisor: state.supervisor.pid, agent: state.agent?.pid ?? null, server: state.server?.pid ?? null };
  return { running: true, url, home, version, tier, driver, pids, admin_key: firstKey, notes };
}
