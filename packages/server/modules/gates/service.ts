import { createHash } from "node:crypto";
import { PlastronError, type ScanResult } from "@plastron/contracts";
import {
  type Artifact,
  ATTESTATIONS,
  DEFAULT_GATE,
  decide,
  type GatePolicy,
  knownAt,
  type Pentest,
  parseGatePolicy,
  pentestEnds,
  policyFor,
  reconcile,
} from "@plastron/scan";
import type { Principal } from "../auth/principal.ts";
import { type Loaded, loadProgram } from "./program.ts";
import type { AdmissionRow, GateStore, ProjectRow } from "./store.ts";

const DAY_MS = 86_400_000;
const MOST_STATEMENTS = 100;

/** What scans say of an artifact. */
export interface Results {
  /** Of the newest scan that ended; undefined where none did. */
  latest(tenant: string, artifact: string): Promise<{ id: string; result: ScanResult } | undefined>;
  of(tenant: string, scan: string): Promise<ScanResult | undefined>;
}
export type OpenArtifact = (tenant: string, digest: string) => Promise<Artifact | undefined>;

/** What a request says of where its program comes from and whom it runs for. */
export interface Asked {
  project?: string | undefined;
  artifact?: string | undefined;
  entry?: string | undefined;
}

/** A program that may run. `loaded` is null where the request brings its own code. */
export interface Admitted {
  project: string | null;
  artifact: string | null;
  loaded: Loaded | null;
}

/** Projects, and whether an artifact may run for one. */
export class GateService {
  readonly #store: GateStore;
  readonly #results: Results;
  readonly #open: OpenArtifact;

  constructor(store: GateStore, results: Results, open: OpenArtifact) {
    this.#store = store;
    this.#results = results;
    this.#open = open;
  }

  /** @throws PlastronError invalid_document, with the places of what is wrong in the policy */
  async put({ tenant, key }: Principal, project: Pick<ProjectRow, "name" | "admission" | "gate" | "environment">): Promise<ProjectRow> {
    policyOf(project);
    await this.#store.put(tenant, key, project);
    return this.get(tenant, project.name);
  }

  /** @throws PlastronError not_found */
  async get(tenant: string, name: string): Promise<ProjectRow> {
    const row = await this.#store.project(tenant, name);
    if (!row) throw new PlastronError("not_found", `There is no project ${name}`, { hint: "PUT /v1/projects/{name} makes one." });
    return row;
  }

  list(tenant: string): Promise<ProjectRow[]> {
    return this.#store.projects(tenant);
  }

  /** @throws PlastronError not_found */
  async remove({ tenant, key }: Principal, name: string): Promise<void> {
    await this.get(tenant, name);
    await this.#store.remove(tenant, name, key);
  }

  /** Decides over an artifact by its newest scan, for good until the policy changes. @throws PlastronError not_found; conflict where no scan of it ended */
  async decide(tenant: string, name: string, artifact: string): Promise<AdmissionRow> {
    const project = await this.get(tenant, name);
    const opened = await this.#open(tenant, artifact);
    if (!opened) throw new PlastronError("not_found", "There is no such artifact");
    const newest = await this.#results.latest(tenant, artifact);
    if (!newest) throw new PlastronError("conflict", "No scan of this artifact has ended", { hint: "POST /v1/scans with it, and wait for its end." });
    const policy = policyOf(project);
    const before = await this.#store.lastPassed(tenant, name, artifact, policySha256(project));
    const base = before && (await this.#results.of(tenant, before.scan));
    const known = knownAt(reconcile(base?.findings ?? [], newest.result.findings));
    const [pentests, now] = [await pentestsIn(opened), new Date()];
    const decision = decide({ policy, head: newest.result, known, pentests, now });
    await this.#store.decide(tenant, {
      ...{ project: name, artifact, decision: decision.decision, reasons: decision.reasons, scan: newest.id },
      ...{ policy_sha256: policySha256(project), valid_until: validUntil(newest.result, policy, pentestEnds(policy, pentests, now)) },
    });
    return (await this.#store.admission(tenant, name, artifact)) as AdmissionRow;
  }

  /** A key that is bound to a project has no say in another's. @throws PlastronError forbidden */
  demandOwn({ project: bound }: Pick<Principal, "project">, name: string): void {
    if (bound !== null && name !== bound) throw new PlastronError("forbidden", `This key is bound to the project ${bound}`);
  }

  /** @throws PlastronError not_found */
  async admissions(tenant: string, name: string, limit: number): Promise<AdmissionRow[]> {
    await this.get(tenant, name);
    return this.#store.admissions(tenant, name, limit);
  }

  /**
   * Whether what a request asks for may run. A key that is bound to a project runs for that one, whatever the request says. Where the project demands what passed, the
   * program is the stored artifact's own: nobody can name one and run another.
   * @throws PlastronError not_admitted, not_found, forbidden, invalid_request
   */
  async admit({ tenant, project: bound }: Principal, asked: Asked): Promise<Admitted> {
    if (asked.project !== undefined) this.demandOwn({ project: bound }, asked.project);
    const name = bound ?? asked.project ?? null;
    const project = name === null ? null : await this.get(tenant, name);
    if (project?.admission === "passed") await this.#demandPass(tenant, project, asked);
    if (asked.artifact === undefined || asked.entry === undefined) return { project: name, artifact: null, loaded: null };
    const artifact = await this.#open(tenant, asked.artifact);
    if (!artifact) throw new PlastronError("not_found", "There is no such artifact");
    return { project: name, artifact: asked.artifact, loaded: await loadProgram(artifact, asked.entry) };
  }

  /** What takes code as it comes (a session, Dify's door) is closed to a key whose project demands what passed. @throws PlastronError not_admitted */
  async demandOpen({ tenant, project }: Principal): Promise<void> {
    if (project !== null && (await this.get(tenant, project)).admission === "passed") throw inline(project);
  }

  async #demandPass(tenant: string, project: ProjectRow, { artifact, entry }: Asked): Promise<void> {
    if (artifact === undefined || entry === undefined) throw inline(project.name);
    const row = await this.#store.admission(tenant, project.name, artifact);
    if (!row) throw refused(`The artifact was never judged for ${project.name}`, "POST /v1/projects/{name}/admissions judges it by its newest scan.");
    if (row.decision !== "pass") {
      const [first] = row.reasons;
      throw refused(
        `The gate of ${project.name} said ${row.decision}${first ? `: ${first.message}` : ""}`,
        first?.hint ?? "GET /v1/projects/{name}/admissions shows its reasons.",
      );
    }
    if (row.policy_sha256 !== policySha256(project))
      throw refused(`The gate policy of ${project.name} has changed since the artifact passed`, "Judge it again.");
    if (row.valid_until !== null && row.valid_until.getTime() <= Date.now()) {
      throw refused(
        `What the artifact's pass for ${project.name} leans on has run out`,
        "Scan it again, then judge it again: an exemption ended, or advisories grew too old.",
      );
    }
  }
}

const refused = (why: string, hint: string) => new PlastronError("not_admitted", why, { hint });
const inline = (project: string) =>
  refused(
    `The project ${project} runs artifacts that passed its gate, and nothing else`,
    "Upload the code as an artifact, and run it with `artifact` and `entry`.",
  );

function policyOf({ gate, environment }: Pick<ProjectRow, "gate" | "environment">): GatePolicy {
  return policyFor(gate === null ? DEFAULT_GATE : parseGatePolicy(gate), environment);
}

function policySha256({ gate, environment }: ProjectRow): string {
  return createHash("sha256")
    .update(JSON.stringify([gate, environment]))
    .digest("hex");
}

/** The end of the first exemption that this result leans on, of the advisories' allowed age, or of the pentest's. */
function validUntil({ findings, coverage }: ScanResult, policy: GatePolicy, pentest: Date | null): Date | null {
  const ends = findings.flatMap(({ exemption }) => (exemption ? [Date.parse(exemption.expires) + DAY_MS] : []));
  if (pentest) ends.push(pentest.getTime());
  const { advisories } = coverage;
  if (advisories && !advisories.seed) ends.push(Date.parse(advisories.as_of) + policy.advisories.max_age_days * DAY_MS);
  return ends.length === 0 ? null : new Date(Math.min(...ends));
}

/** Signed statements that came with the artifact: who brings them does not matter, who signed them does. */
async function pentestsIn(artifact: Artifact): Promise<Pentest[]> {
  const files = artifact.files.filter(
    ({ layers, path, size }) => layers.length === 0 && path.startsWith(`${ATTESTATIONS}/`) && path.endsWith(".json") && size < 65_536,
  );
  return Promise.all(files.slice(-MOST_STATEMENTS).map(async (file) => ({ where: file.path, text: Buffer.from(await artifact.read(file)).toString("utf8") })));
}
