import { type Finding, PlastronError, type ScanResult } from "@plastron/contracts";
import { type Artifact, ATTESTATIONS, applyExemptions, decide, knownAt, type Pentest, pentestEnds, reconcile, withExemptions } from "@plastron/scan";
import type { Database } from "../../database/pool.ts";
import { demandOwn, type Principal } from "../auth/principal.ts";
import { dayOf, exemptionsOf, policyOf, policySha256, standingAlone, validUntil } from "./policy.ts";
import { type Loaded, loadProgram } from "./program.ts";
import { type AdmissionRow, type Decision, type GateStore, type ProjectRow, type ProjectSettings, putDecision } from "./store.ts";

const MOST_STATEMENTS = 100;
/** So often an artifact is judged anew where its newest scan changes meanwhile. */
const MOST_ATTEMPTS = 5;
const MOST_RUN_OUT = 100;

/** A scan that ended, by which an artifact is judged. */
export interface Scanned {
  id: string;
  result: ScanResult;
}

/** What scans say of an artifact. */
export interface Results {
  /** Of the newest scan that ended; undefined where none did. */
  latest(tenant: string, artifact: string): Promise<Scanned | undefined>;
  of(tenant: string, scan: string): Promise<ScanResult | undefined>;
  /** Whether it is still the newest and still says this, until the transaction ends. */
  holds(tx: Database, scanned: Scanned): Promise<boolean>;
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
  readonly #now: () => Date;

  constructor(store: GateStore, results: Results, open: OpenArtifact, now: () => Date = () => new Date()) {
    this.#store = store;
    this.#results = results;
    this.#open = open;
    this.#now = now;
  }

  /** @throws PlastronError invalid_document, with the places of what is wrong in the policy or the exemptions */
  async put({ tenant, key }: Principal, project: ProjectSettings): Promise<ProjectRow> {
    policyOf(project);
    await this.#store.put(
      tenant,
      key,
      project,
      exemptionsOf(project).map(({ id }) => id),
    );
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
  async decide(tenant: string, name: string, artifact: string, because: "asked" | "time" = "asked"): Promise<AdmissionRow> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const project = await this.get(tenant, name);
      const newest = await this.#newest(tenant, artifact);
      const decision = await this.#judged(tenant, project, artifact, newest, []);
      // What was read may be said otherwise by now: new advisories must not be overtaken by a pass that knew nothing of them.
      const written = await this.#store.transaction(async (tx) => {
        if (!(await this.#results.holds(tx, newest))) return false;
        await putDecision(tx, tenant, decision, because, because === "asked" ? "always" : "changes");
        return true;
      });
      if (written) return (await this.#store.admission(tenant, name, artifact)) as AdmissionRow;
    }
    throw new PlastronError("conflict", "The artifact's newest scan is changing", { hint: "Ask again." });
  }

  /**
   * What all projects that have judged an artifact, and those `asked` for, say of it by this result. The answer writes it, in the transaction that writes
   * the result. `opened` are findings that nobody knew of before: they count, also where an artifact that passed has them.
   */
  async judgeAgain(
    tenant: string,
    artifact: string,
    by: Scanned,
    more: { asked?: string | null; because: "scan" | "advisories"; opened?: readonly Finding[] },
  ) {
    const asked = more.asked && (await this.#store.project(tenant, more.asked)) ? [more.asked] : [];
    const names = [...new Set([...(await this.#store.judging(tenant, artifact)), ...asked])].sort();
    const decisions: Decision[] = [];
    for (const name of names) {
      const project = await this.#store.project(tenant, name);
      if (project) decisions.push(await this.#judged(tenant, project, artifact, by, more.opened ?? []).catch((error) => held(project, artifact, by, error)));
    }
    return async (tx: Database): Promise<void> => {
      for (const each of decisions) await putDecision(tx, tenant, each, more.because, asked.includes(each.project) ? "always" : "changes");
    };
  }

  /** Judges anew what passed for as long as something held that now is over. */
  async endPasses(): Promise<void> {
    const over = await this.#store.runOut(this.#now(), MOST_RUN_OUT);
    const judged = await Promise.allSettled(over.map(({ tenant, project, artifact }) => this.decide(tenant, project, artifact, "time")));
    for (const each of judged) if (each.status === "rejected") throw each.reason;
  }

  /** A result as its project sees it: with its exemptions. What the artifact brings of them is never looked at. */
  async exempted(tenant: string, name: string | null, result: ScanResult): Promise<ScanResult> {
    const project = name === null ? undefined : await this.#store.project(tenant, name);
    return project ? this.#exempted(project, result) : result;
  }

  /** Names of the projects that have exemptions. */
  async exempting(tenant: string): Promise<string[]> {
    return (await this.#store.projects(tenant)).filter(({ exemptions }) => exemptions !== null).map(({ name }) => name);
  }

  /** The same for findings of several projects. */
  async exemptedFindings<Row extends { project: string | null; data: Finding }>(tenant: string, rows: readonly Row[]): Promise<Row[]> {
    const today = dayOf(this.#now());
    const names = [...new Set(rows.flatMap(({ project }) => project ?? []))];
    const projects = await Promise.all(names.map((name) => this.#store.project(tenant, name)));
    const known = new Map(projects.flatMap((project) => (project?.exemptions ? [[project.name, exemptionsOf(project)] as const] : [])));
    return rows.map((row) => {
      const exemptions = known.get(row.project ?? "");
      const [data] = exemptions ? applyExemptions([row.data], exemptions, { today }).findings : [];
      return data ? { ...row, data } : row;
    });
  }

  async #newest(tenant: string, artifact: string): Promise<Scanned> {
    const newest = await this.#results.latest(tenant, artifact);
    if (newest) return newest;
    if (!(await this.#open(tenant, artifact))) throw new PlastronError("not_found", "There is no such artifact");
    throw new PlastronError("conflict", "No scan of this artifact has ended", { hint: "POST /v1/scans with it, and wait for its end." });
  }

  async #judged(tenant: string, project: ProjectRow, artifact: string, newest: Scanned, opened: readonly Finding[]): Promise<Decision> {
    const [policy, now] = [policyOf(project), this.#now()];
    const head = this.#exempted(project, newest.result);
    const before = await this.#store.lastPassed(tenant, project.name, artifact, policySha256(project));
    const base = before && (await this.#results.of(tenant, before.scan));
    const known = knownAt(reconcile(base ? standingAlone(project, base.findings) : [], head.findings));
    for (const { fingerprint } of opened) known.delete(fingerprint);
    const opens = policy.pentest ? await this.#open(tenant, artifact) : undefined;
    const pentests = opens ? await pentestsIn(opens) : [];
    const { decision, reasons } = decide({ policy, head, known, pentests, now });
    return {
      ...{ project: project.name, artifact, decision, reasons, scan: newest.id, policy_sha256: policySha256(project) },
      valid_until: validUntil(head, policy, pentestEnds(policy, pentests, now)),
    };
  }

  #exempted(project: ProjectRow, result: ScanResult): ScanResult {
    return project.exemptions === null ? result : withExemptions(result, exemptionsOf(project), { today: dayOf(this.#now()) });
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
    if (asked.project !== undefined) demandOwn({ project: bound }, asked.project);
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
    const row = await this.#standing(tenant, project, artifact);
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
    if (this.#isOver(row)) {
      throw refused(
        `What the artifact's pass for ${project.name} leans on has run out`,
        "Scan it again, then judge it again: an exemption ended, or advisories grew too old.",
      );
    }
  }

  /** What was decided, anew where what a pass leans on is over: so that it says what stands against it now. */
  async #standing(tenant: string, project: ProjectRow, artifact: string): Promise<AdmissionRow | undefined> {
    const row = await this.#store.admission(tenant, project.name, artifact);
    return row?.decision === "pass" && this.#isOver(row) && row.policy_sha256 === policySha256(project)
      ? this.decide(tenant, project.name, artifact, "time")
      : row;
  }

  #isOver({ valid_until }: AdmissionRow): boolean {
    return valid_until !== null && valid_until.getTime() <= this.#now().getTime();
  }
}

/** What an older Plastron took for a policy may be none any more: then nothing passes, and no scan is lost by it. */
function held(project: ProjectRow, artifact: string, { id }: Scanned, error: unknown): Decision {
  if (!(error instanceof PlastronError) || error.code !== "invalid_document") throw error;
  const reason = {
    rule: "policy",
    effect: "hold",
    message: `the project cannot be judged by: ${error.message}`,
    hint: "Put the project anew.",
    fingerprints: [],
  } as const;
  return {
    project: project.name,
    artifact,
    decision: "hold",
    reasons: [{ ...reason, fingerprints: [] }],
    scan: id,
    policy_sha256: policySha256(project),
    valid_until: null,
  };
}

const refused = (why: string, hint: string) => new PlastronError("not_admitted", why, { hint });
const inline = (project: string) =>
  refused(
    `The project ${project} runs artifacts that passed its gate, and nothing else`,
    "Upload the code as an artifact, and run it with `artifact` and `entry`.",
  );

/** Signed statements that came with the artifact: who brings them does not matter, who signed them does. */
async function pentestsIn(artifact: Artifact): Promise<Pentest[]> {
  const files = artifact.files.filter(
    ({ layers, path, size }) => layers.length === 0 && path.startsWith(`${ATTESTATIONS}/`) && path.endsWith(".json") && size < 65_536,
  );
  return Promise.all(files.slice(-MOST_STATEMENTS).map(async (file) => ({ where: file.path, text: Buffer.from(await artifact.read(file)).toString("utf8") })));
}
