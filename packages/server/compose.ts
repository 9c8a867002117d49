import { hostname } from "node:os";
import type { judgeChange } from "@plastron/scan";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { sql } from "kysely";
import { AgentClient } from "./agent-client/client.ts";
import type { Config } from "./config.ts";
import { GroupCommit } from "./database/group-commit.ts";
import { type Connection, openClient, openPool } from "./database/pool.ts";
import { type App, newApp } from "./http/app.ts";
import { describeApi, serveApiDescription } from "./http/openapi.ts";
import { artifactRoutes } from "./modules/artifacts/routes.ts";
import { ArtifactService } from "./modules/artifacts/service.ts";
import { ArtifactStore } from "./modules/artifacts/store.ts";
import { keyRoutes } from "./modules/auth/routes.ts";
import { AuthService } from "./modules/auth/service.ts";
import { KeyStore } from "./modules/auth/store.ts";
import { behaviorRoutes } from "./modules/behavior/routes.ts";
import { BehaviorService } from "./modules/behavior/service.ts";
import { BehaviorStore } from "./modules/behavior/store.ts";
import { PythonDependencies } from "./modules/dify/dependencies.ts";
import { DifyLimits } from "./modules/dify/limits.ts";
import { difyRoutes } from "./modules/dify/routes.ts";
import { DifyService } from "./modules/dify/service.ts";
import { eventPartitions, startHousekeeping } from "./modules/events/housekeeping.ts";
import { composeForges, type ForgePace } from "./modules/forges/parts.ts";
import { forgeRoutes } from "./modules/forges/routes.ts";
import { gateRoutes } from "./modules/gates/routes.ts";
import { GateService } from "./modules/gates/service.ts";
import { GateStore } from "./modules/gates/store.ts";
import { Metrics } from "./modules/health/metrics.ts";
import { healthRoutes } from "./modules/health/routes.ts";
import { HealthService } from "./modules/health/service.ts";
import { Idempotency } from "./modules/idempotency/service.ts";
import { IdempotencyStore } from "./modules/idempotency/store.ts";
import { adviseRoute } from "./modules/policies/advise.ts";
import { listenForChanges } from "./modules/policies/changes.ts";
import type { Compiler } from "./modules/policies/compiled.ts";
import { exportRoute } from "./modules/policies/export.ts";
import { HostKnowledge } from "./modules/policies/host.ts";
import { policyRoutes } from "./modules/policies/routes.ts";
import { PolicyTests } from "./modules/policies/self-tests.ts";
import { PolicyService } from "./modules/policies/service.ts";
import { PolicyStore } from "./modules/policies/store.ts";
import { Gate } from "./modules/runs/gate.ts";
import { runRoutes } from "./modules/runs/routes.ts";
import { RunService } from "./modules/runs/service.ts";
import { RunStore } from "./modules/runs/store.ts";
import { runtimeRoutes } from "./modules/runtimes/routes.ts";
import { RuntimeService } from "./modules/runtimes/service.ts";
import { RuntimeStore } from "./modules/runtimes/store.ts";
import { Rematching } from "./modules/scans/rematch.ts";
import { RematchStore } from "./modules/scans/rematch-store.ts";
import { scanRoutes } from "./modules/scans/routes.ts";
import { ScanService } from "./modules/scans/service.ts";
import { ScanStore } from "./modules/scans/store.ts";
import { type Scanner, startScanWorker } from "./modules/scans/worker.ts";
import { sessionRoutes } from "./modules/sessions/routes.ts";
import { SessionService } from "./modules/sessions/service.ts";
import { SessionStore } from "./modules/sessions/store.ts";
import { tenantRoutes } from "./modules/tenants/routes.ts";
import { TenantService } from "./modules/tenants/service.ts";
import { TenantStore } from "./modules/tenants/store.ts";
import { ViolationFeed } from "./modules/violations/feed.ts";
import type { ViolationLog } from "./modules/violations/log.ts";
import { violationRoutes } from "./modules/violations/routes.ts";
import { ViolationStore } from "./modules/violations/store.ts";

export interface Parts {
  config: Pick<
    Config,
    | "PLASTRON_MAX_RUNNING"
    | "PLASTRON_MAX_IN_FLIGHT"
    | "PLASTRON_TENANT_MAX_IN_FLIGHT"
    | "PLASTRON_RETENTION_DAYS"
    | "PLASTRON_RUN_NETWORK"
    | "PLASTRON_SCAN_AT_ONCE"
    | "PLASTRON_SCAN_GIT_HOSTS"
    | "PLASTRON_ARTIFACT_BYTES"
    | "PLASTRON_GITHUB_APP_ID"
    | "PLASTRON_GITHUB_PRIVATE_KEY_FILE"
    | "PLASTRON_GITHUB_WEBHOOK_SECRET"
    | "PLASTRON_GITHUB_WEBHOOK_SECRET_FILE"
    | "PLASTRON_GITHUB_API_URL"
    | "PLASTRON_TENANT_ARTIFACT_BYTES"
    | "MAX_WORKERS"
    | "MAX_REQUESTS"
    | "WORKER_TIMEOUT"
    | "ENABLE_NETWORK"
  >;
  /** A database that is migrated. */
  connection: Connection;
  agentSocket: string;
  compiler: Compiler;
  logger: FastifyBaseLogger;
  version: string;
  /** Names this server among others on one database, over its restarts. */
  serverId: string;
  /** The file that violations are copied to; none is written where it is absent. */
  violationsLog?: ViolationLog | undefined;
  /** Where compiled advisories are; absent: the seed. */
  advisories?: string | null;
  /** How often it is looked whether they are others, in ms. */
  advisoriesMs?: number;
  /** Instead of packages/scan: for tests. */
  scanner?: Scanner;
  /** The day, as exemptions see it: for tests. */
  now?: () => Date;
  /** Instead of the module's own: for tests. */
  forgePace?: ForgePace;
  judge?: typeof judgeChange;
}

export interface Server {
  /** The API, Dify's door included; not listening yet. */
  app: App;
  /** A listener with Dify's door alone. */
  difyApp(): FastifyInstance;
  auth: AuthService;
  runs: RunService;
  /** Looks for new advisories now, and holds what is stored against them. */
  rematch(): Promise<void>;
  /** Ends what runs, writes what is queued, lets go of everything. */
  close(): Promise<void>;
}

/** Puts the modules together over one database and one agent. */
export async function compose(parts: Parts): Promise<Server> {
  const { config, logger } = parts;
  const onDatabaseError = (error: Error) => logger.warn({ err: { message: error.message } }, "database");
  const pool = openPool(parts.connection, onDatabaseError);
  const records = new GroupCommit({ connect: () => openClient(parts.connection, onDatabaseError), onError: onDatabaseError });
  const agent = new AgentClient(parts.agentSocket);

  const gate = new Gate({
    running: config.PLASTRON_MAX_RUNNING,
    inFlight: config.PLASTRON_MAX_IN_FLIGHT,
    tenantInFlight: config.PLASTRON_TENANT_MAX_IN_FLIGHT,
  });
  const metrics = new Metrics({
    agent: () => agent.status(),
    gate,
    database: pool.gauges,
    records,
    violationsLog: parts.violationsLog,
    advisories: () => rematching.state,
  });
  const runStore = new RunStore(pool.db);
  const violationStore = new ViolationStore(pool.db);
  const feed = new ViolationFeed(violationStore);
  const violations = { observer: metrics, log: parts.violationsLog, recorded: () => feed.wake() };
  const behavior = new BehaviorService(new BehaviorStore(pool.db));
  const runs = new RunService({ agent, records, gate, observer: metrics, behavior, violations, server: parts.serverId, node: hostname() });
  const host = new HostKnowledge((minTier) => agent.host(minTier));
  const policies = new PolicyService(
    new PolicyStore(pool.db),
    parts.compiler,
    host,
    (confinement) => void agent.retire(confinement).catch(() => {}),
    config.PLASTRON_RUN_NETWORK,
    (tenant, name) => behavior.profile(tenant, name),
  );
  const changes = listenForChanges(() => openClient(parts.connection, onDatabaseError), policies);
  const auth = new AuthService(new KeyStore(pool.db));
  const tenants = new TenantService(new TenantStore(pool.db));
  const idempotencyStore = new IdempotencyStore(pool.db);
  const idempotency = new Idempotency(idempotencyStore, parts.serverId);
  const sessionStore = new SessionStore(pool.db);
  const sessions = new SessionService(sessionStore, agent, policies);
  const health = new HealthService({ version: parts.version, pingDatabase: () => sql`select 1`.execute(pool.db), agent });
  const runtimes = new RuntimeService(new RuntimeStore(pool.db), agent);
  const artifactStore = new ArtifactStore(pool.db);
  const artifacts = new ArtifactService(artifactStore, {
    uploadBytes: config.PLASTRON_ARTIFACT_BYTES,
    unpackedBytes: 4 * config.PLASTRON_ARTIFACT_BYTES,
    tenantBytes: config.PLASTRON_TENANT_ARTIFACT_BYTES,
    gitHosts: config.PLASTRON_SCAN_GIT_HOSTS,
  });
  const scanStore = new ScanStore(pool.db);
  const results = {
    latest: (tenant: string, artifact: string) => scanStore.latest(tenant, artifact),
    of: (tenant: string, scan: string) => scanStore.result(tenant, scan),
    holds: scanStore.holds.bind(scanStore),
  };
  const gates = new GateService(new GateStore(pool.db), results, (tenant, digest) => artifactStore.open(tenant, digest), parts.now);
  const scanWorker = startScanWorker({
    store: scanStore,
    open: (tenant, digest) => artifactStore.open(tenant, digest),
    scanner: parts.scanner ?? (async (...order) => (await import("@plastron/scan")).scan(...order)),
    server: parts.serverId,
    options: { concurrency: config.PLASTRON_SCAN_AT_ONCE, pollMs: 2_000, beatMs: 5_000, scan: { advisories: parts.advisories ?? null } },
    onError: (error) => logger.error({ err: { message: error.message } }, "a scan failed"),
    judge: ({ tenant, project, artifact, id }, result) => gates.judgeAgain(tenant, artifact, { id, result }, { asked: project, because: "scan" }),
  });
  const scans = new ScanService(scanStore, artifacts, scanWorker, gates);
  const rematching = new Rematching({
    store: new RematchStore(pool.db),
    results: scanStore,
    judge: (tenant, artifact, by, opened) => gates.judgeAgain(tenant, artifact, by, { because: "advisories", opened }),
    room: (tenant) => scans.room(tenant),
    wake: () => scanWorker.wake(),
    directory: parts.advisories ?? null,
    onError: (error) => logger.error({ err: { message: error.message } }, "advisories"),
  });
  const forges = composeForges({
    ...{ config, db: pool.db, server: parts.serverId, projects: gates, pace: parts.forgePace, judge: parts.judge },
    ...{ scan: { advisories: parts.advisories ?? null }, concurrency: config.PLASTRON_SCAN_AT_ONCE },
    onError: (error) => logger.error({ err: { message: error.message } }, "a change could not be judged"),
  });
  const dify = new DifyService(runs, policies, runtimes, { workerTimeoutMs: config.WORKER_TIMEOUT * 1000 });
  const difyDependencies = {
    ...{ auth, dify, dependencies: new PythonDependencies(dify, runtimes), networkFlagAccepted: config.ENABLE_NETWORK },
    limits: new DifyLimits(config.MAX_WORKERS, config.MAX_REQUESTS),
    gates,
  };

  await runStore.markLost(parts.serverId, [], { seconds: 0 });
  const days = config.PLASTRON_RETENTION_DAYS;
  const retention = [
    { name: "old runs", everyMs: 600_000, work: () => runStore.expire(days) },
    { name: "old changes of forges", everyMs: 3_600_000, work: () => forges.expire(days) },
    { name: "old sessions", everyMs: 600_000, work: () => sessionStore.expire(days) },
  ];
  const housekeeping = startHousekeeping(
    [
      ...(days === 0 ? [] : retention),
      eventPartitions(pool.db),
      { name: "what the host can do", everyMs: 30_000, work: async () => (await host.lookAgain()) && policies.forgetAll() },
      { name: "new advisories", everyMs: parts.advisoriesMs ?? 60_000, work: () => rematching.look() },
      { name: "passes that are over", everyMs: 60_000, work: () => gates.endPasses() },
      { name: "unnamed images", everyMs: 3_600_000, work: async () => void (await runtimes.removeUnnamed()) },
      { name: "idempotency keys", everyMs: 3_600_000, work: () => idempotencyStore.expire() },
      { name: "lost runs", everyMs: 60_000, work: () => runStore.markLost(parts.serverId, runs.liveIds(), { seconds: 900 }) },
    ],
    (chore, error) => logger.error({ chore, err: { message: error.message } }, "housekeeping failed"),
  );

  void rematching.look().catch((error: Error) => logger.error({ err: { message: error.message } }, "advisories"));
  const bootId = Date.now().toString(36);
  const app = newApp(logger, bootId);
  await describeApi(app as unknown as FastifyInstance, parts.version);
  healthRoutes(app, { auth, health, metrics, agent, violationsLog: parts.violationsLog, advisories: () => rematching.state });
  runRoutes(app, { auth, runtimes, runs, store: runStore, policies, idempotency, gates });
  sessionRoutes(app, { auth, runtimes, sessions, runs, policies, idempotency, gates });
  violationRoutes(app, { auth, store: violationStore, feed });
  adviseRoute(app, { auth });
  exportRoute(app, { auth });
  behaviorRoutes(app, { auth, behavior });
  policyRoutes(app, { auth, policies, tests: new PolicyTests(agent, gate) });
  runtimeRoutes(app, { auth, runtimes });
  gateRoutes(app, { auth, gates });
  forgeRoutes(app, { auth, forges: forges.service });
  artifactRoutes(app, { auth, artifacts });
  scanRoutes(app, { auth, scans, idempotency, version: parts.version });
  keyRoutes(app, { auth, tenants, idempotency });
  tenantRoutes(app, { auth, tenants, idempotency });
  difyRoutes(app as unknown as FastifyInstance, difyDependencies);
  serveApiDescription(app as unknown as FastifyInstance);
  const others: FastifyInstance[] = [];
  return {
    app,
    difyApp() {
      const other = newApp(logger, `${bootId}d`) as unknown as FastifyInstance;
      difyRoutes(other, difyDependencies);
      others.push(other);
      return other;
    },
    auth,
    runs,
    rematch: () => rematching.look(),
    // All of it fits into the 2.5 s that `plastron down` gives; what does not is killed, and found `lost` at the next start.
    async close() {
      housekeeping.stop();
      await rematching.close();
      feed.close();
      await Promise.all([scanWorker.close(), forges.close()]);
      await runs.drain("the server is shutting down", 1_200);
      await Promise.all([app as unknown as FastifyInstance, ...others].map(closeListener));
      await Promise.all([records.close(), changes.close(), parts.violationsLog?.close()]);
      agent.close();
      await pool.close();
    },
  };
}

/** Answers in progress leave first; a client that does not read its own has half a second. */
async function closeListener(app: FastifyInstance): Promise<void> {
  const cut = setTimeout(() => app.server.closeAllConnections(), 500);
  await app.close();
  clearTimeout(cut);
}
