import { createHash } from "node:crypto";
import { PlastronError } from "@plastron/contracts";
import { ForgeError } from "@plastron/scan";
import { readJson } from "../../http/body.ts";
import { type Principal, requireOperator } from "../auth/principal.ts";
import { demandApp, type GithubApp } from "./app.ts";
import { readDelivery } from "./delivery.ts";
import type { Github } from "./github.ts";
import { isSigned } from "./signature.ts";
import type { Binding, ChangeRow, ChangeState, ForgeStore } from "./store.ts";

export interface Received {
  readonly event: string;
  readonly delivery: string;
  readonly signature: string;
  /** As it came: what is signed is bytes. */
  readonly body: Buffer;
}

/** Repositories of GitHub that are bound to projects, what GitHub delivers of them, and what was decided. */
export class ForgeService {
  readonly #store: ForgeStore;
  readonly #app: GithubApp | null;
  readonly #github: Github | null;
  readonly #projects: { get(tenant: string, name: string): Promise<unknown> };
  readonly #worker: { wake(): void };

  constructor(parts: {
    store: ForgeStore;
    app: GithubApp | null;
    github: Github | null;
    projects: { get(tenant: string, name: string): Promise<unknown> };
    worker: { wake(): void };
  }) {
    this.#store = parts.store;
    this.#app = parts.app;
    this.#github = parts.github;
    this.#projects = parts.projects;
    this.#worker = parts.worker;
  }

  /** @throws PlastronError not_configured */
  demandApp(): void {
    demandApp(this.#app);
  }

  /**
   * Takes what GitHub delivers, once. Of a repository that nobody bound it is acknowledged, and nothing is kept.
   * @throws PlastronError unauthorized, invalid_json, invalid_request, not_configured
   */
  async receive({ event, delivery, signature, body }: Received): Promise<{ status: "queued" | "known" | "ignored"; changes: string[] }> {
    const app = demandApp(this.#app);
    if (!isSigned(body, signature, app.webhookSecret)) throw unsigned();
    const told = readDelivery(event, readJson(body), app.id);
    const taken = told === null ? "ignored" : await this.#store.take({ id: delivery, event, sha256: createHash("sha256").update(body).digest() }, told);
    if (typeof taken === "string") return { status: taken, changes: [] };
    this.#worker.wake();
    return { status: "queued", changes: taken.queued };
  }

  /**
   * Binds a repository to a project. The app can read every repository that it is installed on, so only who operates it says whose one is.
   * @throws PlastronError forbidden, not_found, not_configured
   */
  async bind(
    principal: Principal,
    { owner, name }: { owner: string; name: string },
    { project, tenant = principal.tenant }: { project: string; tenant?: string | undefined },
  ) {
    requireOperator(principal);
    demandApp(this.#app);
    await this.#projects.get(tenant, project);
    const found = await (this.#github as Github).find(owner, name).catch((error: Error) => {
      if (error instanceof ForgeError && error.status === 404)
        throw new PlastronError("not_found", `The app is not installed on ${owner}/${name}`, { hint: "Install it there, and let it have that repository." });
      throw error;
    });
    await this.#store.bind(principal.key, { repository_id: found.id, repository: found.name, installation: found.installation, tenant, project });
    return (await this.#store.bindings(tenant)).find(({ repository_id }) => repository_id === found.id) as Binding;
  }

  /** @throws PlastronError not_found */
  async unbind({ tenant, key }: Principal, { owner, name }: { owner: string; name: string }): Promise<void> {
    if (!(await this.#store.unbind(tenant, `${owner}/${name}`, key))) throw new PlastronError("not_found", `${owner}/${name} is not bound`);
  }

  bindings(tenant: string): Promise<Binding[]> {
    return this.#store.bindings(tenant);
  }

  changes(tenant: string, filter: { project?: string | undefined; status?: ChangeState | undefined }, limit: number, before?: string): Promise<ChangeRow[]> {
    return this.#store.changes(tenant, filter, limit, before);
  }

  /** @throws PlastronError not_found */
  async change(tenant: string, id: string): Promise<ChangeRow> {
    const row = await this.#store.change(tenant, id);
    if (!row) throw new PlastronError("not_found", "There is no such change");
    return row;
  }
}

export const unsigned = () =>
  new PlastronError("unauthorized", "The delivery is not signed by the app's webhook secret", {
    hint: "X-Hub-Signature-256 is the HMAC-SHA256 of the body: is the secret in GitHub the one that the server was given?",
  });
