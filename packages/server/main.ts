import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  type Compiled,
  compileDefault,
  compilePolicy,
  defaultPolicy,
  explainFloor,
  networkSeed,
  type PolicyDocument,
  parsePolicy,
  withBehavior,
} from "@plastron/policy";
import { type Logger, pino } from "pino";
import { compose, type Server } from "./compose.ts";
import { type Config, readConfig } from "./config.ts";
import { type Cluster, startCluster } from "./database/cluster.ts";
import { migrate } from "./database/migrate.ts";
import { type Connection, openClient } from "./database/pool.ts";
import type { CreatedKey } from "./modules/auth/service.ts";
import type { Compiler, PolicyIdentity } from "./modules/policies/compiled.ts";
import { ViolationLog } from "./modules/violations/log.ts";
import { RotatingFile } from "./modules/violations/log-file.ts";

/**
 * The server process: database, migrations, keys, listeners, and one line on stdout when it can be used. It is started by
 * `plastron up` and never as root: only the agent is.
 */
async function main(): Promise<void> {
  refuseRoot();
  const { config, ignored } = readConfig(process.env);
  delete process.env.PLASTRON_GITHUB_WEBHOOK_SECRET; // or every git and analyser that is started would have it
  const logger = pino({ level: config.PLASTRON_LOG_LEVEL, base: { pid: process.pid }, redact: ["authorization", "key", "code"] }, pino.destination(2));
  for (const { variable, why } of ignored) logger.warn({ variable, why }, "a variable of dify-sandbox is ignored");
  const home = resolve(config.PLASTRON_HOME);
  mkdirSync(home, { recursive: true, mode: 0o755 });
  const stops: (() => Promise<unknown>)[] = [];
  const stop = stopOnce(stops, logger);
  listenForTheEnd(config, stop);
  try {
    const { connection, database } = await openDatabase(config, home, logger, stops, stop);
    const server = await compose({
      ...{ config, connection, logger, compiler, version: version(), serverId: serverId(home) },
      violationsLog: violationsLog(home),
      advisories: config.PLASTRON_ADVISORIES ?? null,
      agentSocket: config.PLASTRON_AGENT_SOCKET ?? join(home, "agent", "agent.sock"),
    });
    stops.unshift(() => server.close());
    const firstKey = await makeKeys(server, config);
    const listening = await listen(server, config);
    stops.unshift(async () => rmSync(join(home, "server.json"), { force: true }));
    announce(home, listening, database, firstKey);
  } catch (error) {
    logger.fatal({ err: { message: (error as Error).message, stack: (error as Error).stack } }, "the server cannot start");
    await stop(1);
  }
}

const compiler: Compiler = {
  compile(text, host, options) {
    const policy = parsePolicy(text, options);
    const filled = options.behavior ? withBehavior(policy, options.behavior) : policy;
    return { ...seeded(compilePolicy(filled, host)), identity: identityOf(policy), learning: learningOf(policy) };
  },
  compileDefault: (host) => ({ ...seeded(compileDefault(host)), identity: identityOf(defaultPolicy) }),
  explainFloor,
};

/** Only what is needed later is kept of a compiled policy. */
function seeded(compiled: Compiled) {
  const { confinement, fidelity, explain } = compiled;
  return { confinement, fidelity, explain, seed: networkSeed(compiled) };
}

function learningOf({ spec: { policy } }: PolicyDocument): { minutes: number | null } | undefined {
  return policy.mode === "BehaviorModeling" ? { minutes: policy.modelingOptions?.duration ?? null } : undefined;
}

function identityOf({ kind, metadata }: PolicyDocument): PolicyIdentity {
  return { name: metadata.name, kind, namespace: metadata.namespace ?? "" };
}

/** As upstream rotates it: 10 MB, three older files. */
function violationsLog(home: string): ViolationLog {
  const path = join(home, "logs", "violations.log");
  return new ViolationLog(path, new RotatingFile(path, { bytes: 10_000_000, kept: 3 }));
}

/** The server reads what strangers send; nothing of it needs root, and PostgreSQL refuses it. */
function refuseRoot(): void {
  if (process.getuid?.() !== 0) return;
  process.stderr.write("plastron-server does not run as root. `plastron up` starts it under an unprivileged uid.\n");
  process.exit(2);
}

async function openDatabase(
  config: Config,
  home: string,
  logger: Logger,
  stops: (() => Promise<unknown>)[],
  stop: (code: number) => Promise<void>,
): Promise<{ connection: Connection; database: string }> {
  const cluster = config.DATABASE_URL ? undefined : await startCluster({ home: join(home, "pg"), log: (line) => logger.debug({ line }, "postgresql") });
  if (cluster) ownTheCluster(cluster, logger, stops, stop);
  const connection = cluster?.connection ?? { connectionString: config.DATABASE_URL as string };
  const client = await openClient(connection, () => {});
  try {
    const ran = await migrate(client);
    if (ran.length > 0) logger.info({ ran }, "migrated");
  } finally {
    await client.end();
  }
  return { connection, database: cluster ? `PostgreSQL ${cluster.version} (${cluster.source})` : "DATABASE_URL" };
}

/** Without its database the server is of no use: it ends too, and whoever started it sees why. */
function ownTheCluster(cluster: Cluster, logger: Logger, stops: (() => Promise<unknown>)[], stop: (code: number) => Promise<void>): void {
  let wanted = false;
  stops.push(() => {
    wanted = true;
    return cluster.stop();
  });
  void cluster.ended.then((reason) => {
    if (wanted) return;
    logger.fatal({ reason }, "the database ended");
    void stop(1);
  });
}

/** PLASTRON_ADMIN_KEY and Dify's API_KEY become valid; where there is no admin key at all, one is made. */
async function makeKeys(server: Server, config: Config): Promise<CreatedKey | undefined> {
  if (config.PLASTRON_ADMIN_KEY) await server.auth.preset("key_preset_admin", config.PLASTRON_ADMIN_KEY, ["admin"]);
  if (config.API_KEY) await server.auth.preset("key_preset_dify", config.API_KEY, ["run"]);
  return server.auth.firstAdminKey();
}

interface Listening {
  port: number;
  url: string;
  dify_port: number | null;
}

async function listen(server: Server, config: Config): Promise<Listening> {
  const host = config.PLASTRON_HOST;
  await server.app.listen({ host, port: config.PLASTRON_PORT });
  const port = portOf(server.app.server.address());
  const wanted = config.PLASTRON_DIFY_PORT ?? config.SANDBOX_PORT;
  let dify_port: number | null = null;
  if (wanted !== undefined && (wanted === 0 || wanted !== port)) {
    const app = server.difyApp();
    await app.listen({ host, port: wanted });
    dify_port = portOf(app.server.address());
  }
  return { port, url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`, dify_port };
}

/** `server.json` is how the CLI finds the server. The ready line is the one place where the first key is ever shown. */
function announce(home: string, listening: Listening, database: string, firstKey: CreatedKey | undefined): void {
  const about = { ...listening, pid: process.pid, version: version() };
  const file = join(home, "server.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(about)}\n`, { mode: 0o644 });
  renameSync(`${file}.new`, file);
  process.stdout.write(`${JSON.stringify({ event: "ready", ...about, database, ...(firstKey ? { admin_key: firstKey.key } : {}) })}\n`);
}

function listenForTheEnd(config: Config, stop: (code: number) => Promise<void>): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void stop(0));
  if (config.PLASTRON_LIFELINE !== "stdin") return;
  process.stdin.on("end", () => void stop(0)).on("error", () => void stop(0));
  process.stdin.resume();
}

/** Undoes in reverse order what was started, once, and leaves. What does not end in time is left to the kernel. */
function stopOnce(stops: (() => Promise<unknown>)[], logger: Logger): (code: number) => Promise<void> {
  let stopping = false;
  return async (code) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(code || 1), 25_000).unref();
    for (const stop of stops) await stop().catch((error: Error) => logger.error({ err: { message: error.message } }, "while stopping"));
    process.exit(code);
  };
}

function serverId(home: string): string {
  const file = join(home, "server-id");
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    const id = randomBytes(8).toString("hex");
    writeFileSync(file, `${id}\n`);
    return id;
  }
}

function version(): string {
  return (JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as { version: string }).version;
}

function portOf(address: ReturnType<Server["app"]["server"]["address"]>): number {
  if (address === null || typeof address === "string") throw new Error("not listening on a port");
  return address.port;
}

await main();
