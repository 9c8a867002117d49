import { ANALYSERS, type AnalyserName, type Finding, PlastronError, type ScanResult } from "@plastron/contracts";
import { demandOwn, type Principal } from "../auth/principal.ts";
import type { FindingFilter } from "./filter.ts";
import type { FindingRow, ScanRow, ScanState, ScanStore } from "./store.ts";

/** Of one tenant, waiting and running. */
const MOST_OPEN = 50;
/** Findings that are read at once. */
const PAGE = 500;

interface Artifacts {
  get(tenant: string, digest: string): Promise<unknown>;
}
/** How projects see results: with their exemptions. */
interface Exempting {
  exempted(tenant: string, project: string | null, result: ScanResult): Promise<ScanResult>;
  /** Names of projects that have any. */
  exempting(tenant: string): Promise<string[]>;
  exemptedFindings<Row extends { project: string | null; data: Finding }>(tenant: string, rows: readonly Row[]): Promise<Row[]>;
}
interface Worker {
  wake(): void;
  stop(id: string): void;
}

/** What the server runs in its own processes. Fuzzing runs the artifact's code, for which a run is asked for. */
const ASKABLE = ANALYSERS.filter((name) => name !== "fuzz");

/** Scans that a tenant asks for, and what they found. */
export class ScanService {
  readonly #store: ScanStore;
  readonly #artifacts: Artifacts;
  readonly #worker: Worker;
  readonly #exempting: Exempting;

  constructor(store: ScanStore, artifacts: Artifacts, worker: Worker, exempting: Exempting) {
    this.#store = store;
    this.#artifacts = artifacts;
    this.#worker = worker;
    this.#exempting = exempting;
  }

  /** @throws PlastronError not_found, invalid_request, overloaded */
  async start(
    principal: Principal,
    order: { artifact: string; analysers?: readonly AnalyserName[] | undefined; project?: string | undefined },
  ): Promise<ScanRow> {
    const { tenant, key, project: bound } = principal;
    if (order.project !== undefined) demandOwn(principal, order.project);
    const analysers = ASKABLE.filter((name) => order.analysers?.includes(name) ?? true);
    if (order.analysers?.includes("fuzz")) {
      throw new PlastronError("invalid_request", "fuzz runs code: the server's scans do not", { hint: "`plastron fuzz` does it in sandboxes of this host." });
    }
    await this.#artifacts.get(tenant, order.artifact);
    if (!(await this.room(tenant))) {
      throw new PlastronError("overloaded", `${MOST_OPEN} scans of this tenant are not over yet`, { retryAfterSeconds: 10 });
    }
    const row = await this.#store.add(tenant, key, { artifact: order.artifact, project: order.project ?? bound, analysers });
    this.#worker.wake();
    return row;
  }

  /** Whether a tenant may have one more waiting. */
  async room(tenant: string): Promise<boolean> {
    return (await this.#store.open(tenant)) < MOST_OPEN;
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, id: string): Promise<ScanRow> {
    const row = await this.#store.find(tenant, id);
    if (!row) throw missing();
    return row;
  }

  list(
    tenant: string,
    filter: { artifact?: string | undefined; project?: string | undefined; status?: ScanState | undefined },
    limit: number,
    before?: string,
  ): Promise<ScanRow[]> {
    return this.#store.list(tenant, filter, limit, before);
  }

  /** @throws PlastronError not_found; conflict where it has none yet, or never will */
  async result(tenant: string, id: string): Promise<ScanResult> {
    const { status, problem, project } = await this.get(tenant, id);
    const result = await this.#store.result(tenant, id);
    if (result) return this.#exempting.exempted(tenant, project, result);
    const why = status === "queued" || status === "running" ? `The scan is ${status}` : `The scan is ${status}${problem ? `: ${problem.detail}` : ""}`;
    throw new PlastronError("conflict", why, { hint: "GET /v1/scans/{id}/events tells when it ends." });
  }

  /** @throws PlastronError not_found, conflict */
  async cancel(tenant: string, id: string): Promise<ScanRow> {
    await this.get(tenant, id);
    if (!(await this.#store.cancel(tenant, id))) throw new PlastronError("conflict", "The scan is over");
    this.#worker.stop(id);
    return this.get(tenant, id);
  }

  /**
   * As their projects see them today. What an exemption lets stand changes with the days, so that its state is no column: pages are read until `limit` of the
   * asked state are found.
   */
  async findings(tenant: string, filter: FindingFilter, limit: number, after?: { scan: string; position: number }): Promise<FindingRow[]> {
    const { state, ...others } = filter;
    const projects = state === "exempted" ? { projects: await this.#exempting.exempting(tenant) } : {};
    const size = state === undefined ? limit : PAGE;
    const found: FindingRow[] = [];
    for (let from = after; found.length < limit; ) {
      const page = await this.#store.findings(tenant, { ...others, ...projects }, size, from);
      const seen = await this.#exempting.exemptedFindings(tenant, page);
      found.push(...seen.filter(({ data }) => state === undefined || data.state === state));
      from = page.at(-1);
      if (page.length < size) break;
    }
    return found.slice(0, limit);
  }
}

const missing = () => new PlastronError("not_found", "There is no such scan", { hint: "POST /v1/scans starts one." });
