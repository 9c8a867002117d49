import { PlastronError } from "@plastron/contracts";
import { askForge, CHECK_NAME, type Forge, type ForgeRequest, type Patience, sendToForge, type Target } from "@plastron/scan";
import { z } from "zod";
import { appToken, type GithubApp } from "./app.ts";

const installationSchema = z.object({ id: z.int(), suspended_at: z.string().nullable() });
const tokenSchema = z.object({ token: z.string().min(1) });
const repositorySchema = z.object({ id: z.int(), full_name: z.string() });
const user = z.object({ login: z.string(), type: z.string() }).nullable();
const pullSchema = z.object({ state: z.string(), commits: z.int(), user, base: z.object({ sha: z.string() }), head: z.object({ sha: z.string() }) });
const reviewsSchema = z.array(z.object({ user, state: z.string(), commit_id: z.string().nullable() }));
/** GitHub answers `{}` for a person whom it does not know. */
const author = z.object({ login: z.string().optional() }).nullable();
const commitsSchema = z.array(z.object({ author, committer: author }));
const mergedSchema = z.array(z.object({ number: z.int(), merged_at: z.string().nullable(), merge_commit_sha: z.string().nullable() }));
const permissionSchema = z.object({ permission: z.string() });
const runsSchema = z.object({ check_runs: z.array(z.object({ id: z.int(), external_id: z.string().nullable() })) });
const runSchema = z.object({ id: z.int() });

export type Pull = z.output<typeof pullSchema>;

const PAGE = 100;
/** Of reviews; more of them are no review. */
const MOST_PAGES = 30;
/** GitHub lists no more commits of a pull request. */
const MOST_COMMITS = 250;

/** GitHub as the app: which installation a repository has, and the tokens for one. */
export class Github {
  readonly #app: GithubApp;
  readonly #patience: Patience;

  constructor(app: GithubApp, patience: Patience = {}) {
    this.#app = app;
    this.#patience = patience;
  }

  /** A repository as GitHub knows it now, where the app is installed on it. @throws ForgeError; PlastronError conflict */
  async find(owner: string, name: string): Promise<{ id: number; name: string; installation: number }> {
    const path = `/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
    const installation = read(installationSchema, await askForge(this.#asApp(), { method: "GET", path: `${path}/installation` }, this.#patience));
    if (installation.suspended_at !== null) throw new PlastronError("conflict", "The app's installation is suspended there");
    const token = await this.#token(installation.id, { repositories: [name], permissions: { metadata: "read" } }, this.#patience);
    const { id, full_name } = read(repositorySchema, await askForge(this.#asInstallation(token), { method: "GET", path }, this.#patience));
    return { id, name: full_name, installation: installation.id };
  }

  /** One repository, by a token that is good for it alone, for an hour, and for no more than the gate needs. @throws ForgeError */
  async open(place: { installation: number; repository_id: number; repository: string }, signal: AbortSignal): Promise<GithubRepository> {
    const permissions = { checks: "write", contents: "read", pull_requests: "read", metadata: "read" };
    const patience = { ...this.#patience, signal };
    const token = await this.#token(place.installation, { repository_ids: [place.repository_id], permissions }, patience);
    const clone = { url: `${this.#app.git}/${place.repository}.git`, header: `Authorization: Basic ${basic(token)}`, publicOnly: !this.#app.configured };
    return new GithubRepository(this.#asInstallation(token), place.repository, this.#app.id, patience, clone);
  }

  async #token(installation: number, body: object, patience: Patience): Promise<string> {
    const path = `/app/installations/${installation}/access_tokens`;
    return read(tokenSchema, await askForge(this.#asApp(), { method: "POST", path, body: { ...body } }, patience)).token;
  }

  readonly #asApp = (): Forge => this.#asInstallation(appToken(this.#app));

  #asInstallation(token: string): Forge {
    const headers = { Authorization: `Bearer ${token}`, Accept: "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28" };
    return { name: "GitHub", root: this.#app.api, headers };
  }
}

/** One repository through its token. */
export class GithubRepository {
  readonly #forge: Forge;
  readonly #path: string;
  readonly #app: number;
  readonly #patience: Patience;
  /** How git fetches from it. The address is made of where the operator said and the name, never of what an event says. */
  readonly clone: { readonly url: string; readonly header: string; readonly publicOnly: boolean };

  constructor(forge: Forge, name: string, app: number, patience: Patience, clone: GithubRepository["clone"]) {
    this.#forge = forge;
    this.#path = `/repos/${name.split("/").map(encodeURIComponent).join("/")}`;
    this.#app = app;
    this.#patience = patience;
    this.clone = clone;
  }

  pull(number: number): Promise<Pull> {
    return this.#get(pullSchema, `/pulls/${number}`);
  }

  /**
   * Who approved this very commit, may write to the repository, is a person, and wrote none of it. Of each person the last word counts: a comment is none.
   * None at all where the change has more commits than GitHub lists: nobody could tell who wrote them.
   */
  async approvers(number: number, { user, commits, head }: Pull): Promise<string[]> {
    if (commits > MOST_COMMITS) return [];
    const last = new Map<string, { state: string; commit_id: string | null }>();
    for (const { user: reviewer, ...review } of await this.#pages(reviewsSchema, `/pulls/${number}/reviews`)) {
      if (reviewer?.type === "User" && review.state !== "COMMENTED" && review.state !== "PENDING") last.set(reviewer.login, review);
    }
    const approved = [...last].filter(([, review]) => review.state === "APPROVED" && review.commit_id === head.sha).map(([login]) => login);
    if (approved.length === 0) return [];
    const authors = new Set(
      (await this.#pages(commitsSchema, `/pulls/${number}/commits`)).flatMap(({ author, committer }) => [author?.login, committer?.login]),
    );
    authors.add(user?.login);
    const counted: string[] = [];
    for (const login of approved) if (!authors.has(login) && (await this.#mayWrite(login))) counted.push(login);
    return counted;
  }

  /** The pull request whose merge this commit is. */
  async mergedBy(commit: string): Promise<number | null> {
    const pulls = await this.#get(mergedSchema, `/commits/${commit}/pulls?per_page=${PAGE}`);
    return pulls.find(({ merged_at, merge_commit_sha }) => merged_at !== null && merge_commit_sha === commit)?.number ?? null;
  }

  /** A check run of this app that was started for a change, by whomever. */
  async startedRun({ commit, check = CHECK_NAME }: Target, external_id: string): Promise<number | null> {
    const query = new URLSearchParams({ check_name: check, filter: "all", app_id: String(this.#app), per_page: String(PAGE) });
    const { check_runs } = await this.#get(runsSchema, `/commits/${commit}/check-runs?${query}`);
    return check_runs.find((run) => run.external_id === external_id)?.id ?? null;
  }

  /** @returns the id of the check run that the first request made */
  async start(request: ForgeRequest): Promise<number> {
    return read(runSchema, await sendToForge(this.#forge, [request], this.#patience)).id;
  }

  async send(requests: readonly ForgeRequest[]): Promise<void> {
    await sendToForge(this.#forge, requests, this.#patience);
  }

  async #mayWrite(login: string): Promise<boolean> {
    const { permission } = await this.#get(permissionSchema, `/collaborators/${encodeURIComponent(login)}/permission`);
    return permission === "admin" || permission === "write";
  }

  async #pages<Item>(schema: z.ZodType<Item[]>, path: string): Promise<Item[]> {
    const all: Item[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const items = await this.#get(schema, `${path}?per_page=${PAGE}&page=${page}`);
      all.push(...items);
      if (items.length < PAGE) return all;
    }
    throw new PlastronError("invalid_request", `GitHub lists more than ${MOST_PAGES * PAGE} of ${path}`);
  }

  async #get<Value>(schema: z.ZodType<Value>, path: string): Promise<Value> {
    return read(schema, await askForge(this.#forge, { method: "GET", path: `${this.#path}${path}` }, this.#patience));
  }
}

const basic = (token: string) => Buffer.from(`x-access-token:${token}`).toString("base64");

function read<Value>(schema: z.ZodType<Value>, answer: unknown): Value {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new PlastronError("invalid_request", `GitHub's answer is not as it describes it: ${first?.path.join(".")}: ${first?.message}`.slice(0, 300));
}
