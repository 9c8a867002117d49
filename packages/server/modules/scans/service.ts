import { ANALYSERS, type AnalyserName, PlastronError, type ScanResult } from "@plastron/contracts";
import type { Principal } from "../auth/principal.ts";
import type { FindingFilter } from "./filter.ts";
import type { FindingRow, ScanRow, ScanState, ScanStore } from "./store.ts";

/** Of one tenant, waiting and running. */
const MOST_OPEN = 50;

interface Artifacts {
  get(tenant: string, digest: string): Promise<unknown>;
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

  constructor(store: ScanStore, artifacts: Artifacts, worker: Worker) {
    this.#store = store;
    this.#artifacts = artifacts;
    this.#worker = worker;
  }

  /** @throws PlastronError not_found, invalid_request, overloaded */
  async start(
    { tenant, key, project: bound }: Principal,
    order: { artifact: string; analysers?: readonly AnalyserName[] | undefined; project?: string | undefined },
  ): Promise<ScanRow> {
    if (bound !== null && order.project !== undefined && order.project !== bound)
      throw new PlastronError("forbidden", `This key is bound to the project ${bound}`);
    const analysers = ASKABLE.filter((name) => order.analysers?.includes(name) ?? true);
    if (order.analysers?.includes("fuzz")) {
      throw new PlastronError("invalid_request", "fuzz runs code: the server's scans do not", { hint: "`plastron fuzz` does it in sandboxes of this host." });
    }
    await this.#artifacts.get(tenant, order.artifact);
    if ((await this.#store.open(tenant)) >= MOST_OPEN) {
      throw new PlastronError("overloaded", `${MOST_OPEN} scans of this tenant are not over yet`, { retryAfterSeconds: 10 });
    }
    const row = await this.#store.add(tenant, key, { artifact: order.artifact, project: order.project ?? bound, analysers });
    this.#worker.wake();
    return row;
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
    const { status, problem } = await this.get(tenant, id);
    const result = await this.#store.result(tenant, id);
    if (result) return result;
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

  findings(tenant: string, filter: FindingFilter, limit: number, after?: { scan: string; position: number }): Promise<FindingRow[]> {
    return this.#store.findings(tenant, filter, limit, after);
  }
}

const missing = () => new PlastronError("not_found", "There is no such scan", { hint: "POST /v1/scans starts one." });
