import { chmodSync, lstatSync, mkdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Cluster, type Control, type DoctorReport, type HostFacts, PlastronError, type Runtime, type Tier } from "@plastron/contracts";
import { compileDefault, parseCluster } from "@plastron/policy";
import { type DriverOptions, doctor, hostFacts, INTERPRETER_FILES, openDriver, sandboxGroup } from "@plastron/sandbox";
import { type Presence, sensorControl, trySensor } from "@plastron/sensor";
import { type Agent, startAgent } from "./agent.ts";
import { type AgentConfig, readConfig } from "./config.ts";
import { readHosts, readTrust } from "./egress-files.ts";
import { confineBuilds } from "./registry.ts";

/**
 * The privileged daemon: `node packages/agent/main.ts`, configured by its environment only (config.ts). It prints one line
 * {"event":"ready","driver","tier","pid"} on stdout when the socket accepts; everything else goes to stderr as JSON lines.
 */
async function main(): Promise<void> {
  const config = readConfig(process.env, process.geteuid?.() ?? 0);
  const consent = { permissive: config.permissive, cluster: readCluster(config.clusterAddresses) };
  ownStateHome(config.stateHome);
  const agent = await startAgent(async () => {
    const [presence, everyday] = await Promise.all([config.driver === "bubblewrap" ? UNSEEN_THERE : openEyes(config.stateHome), probe(1)]);
    const complete = (found: HostFacts): HostFacts => ({ ...found, ...consent, sensor: presence.sensor !== undefined && found.driver === "local" });
    const facts = async (minTier: Tier) => complete(await probe(minTier));
    const driver = await openDriver({ ...driverOptions(config, complete(everyday)), ...presence }, config.driver);
    const examine = async (): Promise<DoctorReport> => withRow(await doctor(), sensorControl(presence));
    return { driver, doctor: examine, hostFacts: facts, permissive: config.permissive, runNetwork: config.runNetwork, sensor: presence.sensor, log };
  }, config);
  leaveOnSignals(agent, config);
  const { driver, tier, pid } = agent.status();
  process.stdout.write(`${JSON.stringify({ event: "ready", driver, tier, pid })}\n`);
}

const openEyes = async (home: string): Promise<Presence> => trySensor({ cgroup: await sandboxGroup(home), interpreters: INTERPRETER_FILES, log });

/** The fallback does not tell which processes are a sandbox's. */
const UNSEEN_THERE: Presence = { sensorMissing: "the bubblewrap driver's sandboxes are not seen" };

const withRow = (report: DoctorReport, row: Control): DoctorReport => ({ ...report, controls: [...report.controls, row] });

const probe: (minTier: Tier) => Promise<HostFacts> = hostFacts;

/** @throws PlastronError invalid_request that names the variable, the file and the line */
function readCluster(path: string | undefined): Cluster | null {
  if (path === undefined) return null;
  try {
    return parseCluster(readFileSync(path, "utf8"));
  } catch (error) {
    const { message } = error as Error;
    throw new PlastronError("invalid_request", `PLASTRON_CLUSTER_ADDRESSES: ${message.includes(path) ? message : `${path}: ${message}`}`, { cause: error });
  }
}

function driverOptions(config: AgentConfig, host: HostFacts): DriverOptions {
  const { confinement } = compileDefault(host);
  const warm = Object.entries(config.warm).map(([runtime, count]) => ({ runtime: runtime as Runtime, confinement, count }));
  return {
    home: config.stateHome,
    uidBase: config.uidBase,
    maxRunning: config.maxRunning,
    maxQueued: config.maxQueued,
    warm: warm.filter((pool) => pool.count > 0),
    egress: {
      command: [process.execPath, EGRESS],
      ...(config.secrets === undefined ? {} : { secrets: config.secrets }),
      ...(config.egressHosts === undefined ? {} : { hosts: readHosts(config.egressHosts) }),
      ...(config.egressTrust === undefined ? {} : { trust: readTrust(config.egressTrust) }),
    },
    images: { confine: confineBuilds(host), env: process.env, archiveHosts: config.archiveHosts },
    log,
  };
}

/** Started by its path: it is a program of its own, and nothing of it belongs into this process. */
const EGRESS = fileURLToPath(new URL("../egress/main.ts", import.meta.url));

/** The server's uid must not be able to put a link where we, as root, later delete or mount. */
function ownStateHome(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const entry = lstatSync(path);
  if (!entry.isDirectory() || entry.uid !== process.geteuid?.()) {
    throw new PlastronError("sandbox_failed", `${path} must be a directory that belongs to the agent's own user`);
  }
  chmodSync(path, 0o700);
}

/** SIGTERM and SIGINT drain, a second one hurries; a closed lifeline means that nobody waits for the runs any more. */
function leaveOnSignals(agent: Agent, config: AgentConfig): void {
  let asked = 0;
  const leave = (drainMs: number) => {
    asked++;
    agent.close(asked > 1 ? 0 : drainMs).then(
      () => process.exit(0),
      (error) => {
        log("could not close cleanly", { error: String(error) });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => leave(config.drainMs));
  process.on("SIGINT", () => leave(config.drainMs));
  if (config.lifeline) {
    process.stdin.on("close", () => leave(0)).on("error", () => leave(0));
    process.stdin.resume();
  }
}

function log(message: string, fields: Record<string, unknown> = {}): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), part: "agent", message, ...fields })}\n`);
}

main().catch((error) => {
  log("cannot start", { error: error instanceof Error ? error.message : String(error), hint: error instanceof PlastronError ? error.hint : undefined });
  process.exit(1);
});
