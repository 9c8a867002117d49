import type { AgentStatus } from "@plastron/contracts";
import { PLATFORM_RULES, ruleNames } from "@plastron/policy";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { RunObserver } from "../runs/service.ts";
import type { AdvisoryState } from "../scans/rematch.ts";
import type { ViolationObserver } from "../violations/recorder.ts";
import { SensingMetrics } from "./sensing-metrics.ts";

/** Where the gauges read from at the moment of a scrape. */
export interface MetricSources {
  agent(): Promise<AgentStatus>;
  gate: { readonly running: number; readonly waiting: number };
  database(): { total: number; idle: number; waiting: number };
  records: { readonly queued: number };
  advisories(): AdvisoryState;
  /** Absent where no file is written. */
  violationsLog: { readonly state: { written: number; lost: number } } | undefined;
}

/** Of rules that are not built in: fields of raw rules. Those that are built in have their names whatever tenants write. */
const MOST_RULES = 500;
const BUILT_IN: ReadonlySet<string> = new Set([...ruleNames(), ...PLATFORM_RULES]);
const PHASES = ["auth", "admit", "agent_connect", "agent", "commit", "total"];
const SECONDS = [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600];

/** What Prometheus scrapes. No label names a tenant: the page needs no key. */
export class Metrics implements RunObserver, ViolationObserver {
  readonly registry = new Registry();
  readonly #violations: Counter<"rule" | "action">;
  readonly #rules = new Set<string>();
  readonly #runs: Counter<"status" | "language">;
  readonly #phases: Histogram<"phase">;
  readonly #sensing: SensingMetrics;
  readonly #askAgent: () => Promise<void>;

  constructor(sources: MetricSources) {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry, prefix: "plastron_server_" });
    this.#runs = new Counter({ name: "plastron_runs_total", help: "Runs that ended", labelNames: ["status", "language"], registers });
    this.#violations = new Counter({
      name: "plastron_violations_total",
      help: "Rules that were hit, as far as a run may record",
      labelNames: ["rule", "action"],
      registers,
    });
    this.#phases = new Histogram({
      name: "plastron_run_phase_seconds",
      help: "Where the time of a run goes",
      labelNames: ["phase"],
      buckets: SECONDS,
      registers,
    });
    this.#sensing = new SensingMetrics(this.registry);
    this.#gauge("plastron_runs_running", "Runs with the agent", () => sources.gate.running);
    this.#gauge("plastron_runs_waiting", "Runs that wait for a place", () => sources.gate.waiting);
    this.#gauge("plastron_records_queued", "Records of runs that wait for the next commit", () => sources.records.queued);
    this.#gauge("plastron_database_connections", "Connections of the pool", () => sources.database().total);
    this.#gauge("plastron_database_waiting", "Requests that wait for a connection", () => sources.database().waiting);
    this.#gauge(
      "plastron_advisories_in_use",
      "1 where stored scans are held against this server's advisories; 0: damaged, or older than another server's",
      () => (sources.advisories().state === "in_use" ? 1 : 0),
    );
    this.#gauge("plastron_advisories_waiting", "Stored scans that were not held against the newest advisories yet", () => sources.advisories().waiting);
    const log = sources.violationsLog;
    this.#gauge("plastron_violations_log_written", "Records that violations.log got since the start", () => log?.state.written ?? 0);
    this.#gauge("plastron_violations_log_lost", "Records that violations.log could not take; the events have them", () => log?.state.lost ?? 0);
    this.#askAgent = this.#agentGauges(sources);
  }

  finished(language: string, status: string, phasesUs: Record<string, number>, account: Parameters<RunObserver["finished"]>[3]): void {
    this.#runs.inc({ status, language });
    if (account) this.#sensing.finished(account);
    for (const phase of PHASES) {
      const us = phasesUs[phase];
      if (us !== undefined) this.#phases.observe({ phase }, us / 1e6);
    }
  }

  /** Names of raw rules come from policies, which tenants write: past a bound they are counted together. */
  violated(rule: string, action: string): void {
    const builtIn = BUILT_IN.has(rule);
    if (!builtIn && this.#rules.size < MOST_RULES) this.#rules.add(rule);
    this.#violations.inc({ rule: builtIn || this.#rules.has(rule) ? rule : "other", action });
  }

  /** The page in Prometheus' text format. */
  async page(): Promise<{ type: string; text: string }> {
    await this.#askAgent();
    return { type: this.registry.contentType, text: await this.registry.metrics() };
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }

  /** The agent is asked once for all of its gauges, before they are written out. */
  #agentGauges(sources: MetricSources): () => Promise<void> {
    const registers = [this.registry];
    const up = new Gauge({ name: "plastron_agent_up", help: "1 where the agent answers", registers });
    const sessions = new Gauge({ name: "plastron_agent_sessions", help: "Open sessions", registers });
    const pool = new Gauge({ name: "plastron_pool_sandboxes", help: "Warm sandboxes", labelNames: ["runtime", "source", "state"], registers });
    const requests = new Gauge({
      name: "plastron_pool_requests",
      help: "Requests that found a warm sandbox or did not, since the agent's start",
      labelNames: ["runtime", "source", "outcome"],
      registers,
    });
    return async () => {
      const status = await sources.agent().catch(() => undefined);
      up.set(status ? 1 : 0);
      sessions.set(status?.sessions ?? 0);
      pool.reset();
      requests.reset();
      for (const { runtime, source, ready, starting, target, hits, misses } of status?.pools ?? []) {
        for (const [state, count] of Object.entries({ ready, starting, target })) pool.inc({ runtime, source, state }, count);
        for (const [outcome, count] of Object.entries({ hit: hits, miss: misses })) requests.inc({ runtime, source, outcome }, count);
      }
    };
  }
}
