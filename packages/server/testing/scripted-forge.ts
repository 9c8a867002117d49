import { execFileSync, spawn } from "node:child_process";
import { createVerify, generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Asked, type Contract, faultsOf, misfits, operationOf, readContract } from "../../../test/fixtures/forge-contract.ts";

export interface CheckRun {
  id: number;
  name: string;
  head_sha: string;
  status: string;
  conclusion: string | null;
  external_id: string | null;
  output: { title: string; summary: string; annotations: { path: string; start_line: number; annotation_level: string }[] };
}
interface Person {
  login: string;
  id: number;
  type: string;
}
export interface Review {
  id: number;
  user: Person | null;
  state: string;
  commit_id: string | null;
}
export interface ForgePull {
  number: number;
  state: "open" | "closed";
  commits: number;
  user: Person | null;
  base: { ref: string; sha: string };
  head: { ref: string; sha: string };
  merged_at?: string;
  merge_commit_sha?: string;
}

export const APP_ID = 4000;
export const INSTALLATION = 4100;
export const REPOSITORY_ID = 526;

/** A person of whom GitHub says nothing odd. */
export const person = (login: string): Person => ({ login, id: login.length * 100 + login.charCodeAt(0), type: "User" });

/**
 * GitHub on this machine: each request is held against GitHub's published description, the app's token is verified, installation tokens are narrow and
 * change, and git is served over HTTP to those who have one.
 */
export async function startScriptedForge() {
  const contract = readContract("github");
  const root = mkdtempSync(join(tmpdir(), "plastron-forge-"));
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const keyFile = join(root, "app.pem");
  writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));
  const state = {
    asked: [] as (Asked & { id: string })[],
    faults: [] as string[],
    fetches: [] as { path: string; authorization: string | undefined }[],
    runs: [] as CheckRun[],
    tokens: new Map<string, { repositories: (number | string)[]; permissions: Record<string, string> }>(),
    pulls: new Map<number, ForgePull>(),
    reviews: new Map<number, Review[]>(),
    commits: new Map<number, { sha: string; author: object | null; committer: object | null }[]>(),
    permissions: new Map<string, string>(),
    repository: { id: REPOSITORY_ID, full_name: "shop-org/shop", default_branch: "main" },
    /** Answers instead of its own, while it gives one. */
    refuse: (_operation: string): { status: number; body?: object; headers?: Record<string, string> } | undefined => undefined,
    /** Before git answers. */
    beforeFetch: async (): Promise<void> => {},
  };
  const answers = answersOf(state);

  const server = createServer(async (request, response) => {
    const url = request.url ?? "";
    if (!url.startsWith("/api/v3/")) return serveGit(request, response);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const text = Buffer.concat(parts).toString("utf8");
    const asked: Asked = {
      method: request.method ?? "",
      path: url.slice("/api/v3".length),
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    };
    const found = operationOf(contract, asked);
    const id = found?.operation.id ?? "";
    state.asked.push({ ...asked, id });
    state.faults.push(...faultsOf(contract, asked), ...authorityFaults(contract, asked));
    const refusal = state.refuse(id);
    const [status, body] = refusal
      ? [refusal.status, refusal.body ?? { message: "refused" }]
      : (answers[id]?.(asked, found?.values ?? {}) ?? [404, { message: "Not Found" }]);
    if (found && status === found.operation.status)
      state.faults.push(...misfits(found.operation.response, body).map((fault) => `our own answer to ${id}: ${fault}`));
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...refusal?.headers }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** Who may ask this: the app by its own signed token, or an installation by one that was given out and suffices. */
  function authorityFaults({ operations }: Contract, asked: Asked): string[] {
    const as = operationOf({ operations, headers: {} }, asked)?.operation.as;
    const token = String(asked.headers.authorization ?? "").replace(/^Bearer /, "");
    if (as === "app") return jwtFaults(token);
    return state.tokens.has(token) ? [] : [`${asked.method} ${asked.path} by no installation's token`];
  }

  function jwtFaults(token: string): string[] {
    const [head = "", claims = "", signature = ""] = token.split(".");
    const valid = createVerify("RSA-SHA256").update(`${head}.${claims}`).verify(publicKey, Buffer.from(signature, "base64url"));
    const { alg } = JSON.parse(Buffer.from(head, "base64url").toString("utf8")) as { alg: string };
    const { iat, exp, iss } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as { iat: number; exp: number; iss: string };
    const now = Date.now() / 1000;
    const fine = valid && alg === "RS256" && String(iss) === String(APP_ID) && iat <= now - 30 && exp > now && exp - now <= 600;
    return fine ? [] : [`the app's token is not valid: ${JSON.stringify({ valid, alg, iat, exp, iss, now })}`];
  }

  async function serveGit(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = "", query = ""] = (request.url ?? "").split("?");
    state.fetches.push({ path, authorization: request.headers.authorization });
    const given = Buffer.from(String(request.headers.authorization ?? "").replace(/^Basic /, ""), "base64").toString("utf8");
    const token = state.tokens.get(given.replace(/^x-access-token:/, ""));
    if (token?.permissions.contents !== "read") return void response.writeHead(401, { "www-authenticate": 'Basic realm="GitHub"' }).end();
    await state.beforeFetch();
    const env = {
      ...{ PATH: process.env.PATH, GIT_PROJECT_ROOT: join(root, "git"), GIT_HTTP_EXPORT_ALL: "1", PATH_INFO: path, QUERY_STRING: query, REMOTE_USER: "x" },
      ...{ REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers["content-type"] ?? "", GIT_PROTOCOL: String(request.headers["git-protocol"] ?? "") },
      ...{ HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "" },
    };
    const cgi = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
    request.pipe(cgi.stdin);
    const parts: Buffer[] = [];
    for await (const part of cgi.stdout) parts.push(part as Buffer);
    const whole = Buffer.concat(parts);
    const end = whole.indexOf("\r\n\r\n");
    const lines = whole.subarray(0, end).toString("latin1").split("\r\n");
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]));
    response.writeHead(Number(headers.status?.slice(0, 3) ?? 200), { "content-type": headers["content-type"] ?? "" }).end(whole.subarray(end + 4));
  }

  /** The bare repository that is served under this name. */
  function repository(name: string): string {
    const path = join(root, "git", `${name}.git`);
    mkdirSync(path, { recursive: true });
    execFileSync("git", ["init", "--quiet", "--bare", "--initial-branch=main", path]);
    return path;
  }

  return {
    state,
    root,
    origin,
    api: `${origin}/api/v3`,
    keyFile,
    repository,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      rmSync(root, { recursive: true, force: true });
    },
  };
}
export type ScriptedForge = Awaited<ReturnType<typeof startScriptedForge>>;

type Answers = Record<string, (asked: Asked, values: Record<string, string>) => [number, object] | undefined>;
type State = {
  runs: CheckRun[];
  tokens: Map<string, { repositories: (number | string)[]; permissions: Record<string, string> }>;
  pulls: Map<number, ForgePull>;
  reviews: Map<number, Review[]>;
  commits: Map<number, object[]>;
  permissions: Map<string, string>;
  repository: { id: number; full_name: string; default_branch: string };
};

function answersOf(state: State): Answers {
  const pageOf = (asked: Asked, all: readonly object[]): [number, object] => {
    const query = new URLSearchParams(asked.path.split("?")[1]);
    const [size, page] = [Number(query.get("per_page") ?? 30), Number(query.get("page") ?? 1)];
    return [200, all.slice((page - 1) * size, page * size)];
  };
  const shownRun = ({ output: _, ...run }: CheckRun) => run;
  return {
    "apps/get-repo-installation": (_, { owner, repo }) =>
      `${owner}/${repo}` === state.repository.full_name ? [200, { id: INSTALLATION, app_id: APP_ID, suspended_at: null }] : undefined,
    "apps/create-installation-access-token": (asked) => {
      const body = asked.body as { repositories?: string[]; repository_ids?: number[]; permissions?: Record<string, string> };
      const token = `ghs_${"made-up".padEnd(28, "x")}${state.tokens.size}`;
      state.tokens.set(token, { repositories: body.repository_ids ?? body.repositories ?? ["all"], permissions: body.permissions ?? { all: "write" } });
      return [201, { token, expires_at: new Date(Date.now() + 3_600_000).toISOString() }];
    },
    "repos/get": () => [200, state.repository],
    "pulls/get": (_, { pull_number }) => {
      const pull = state.pulls.get(Number(pull_number));
      return pull && [200, pull];
    },
    "repos/list-pull-requests-associated-with-commit": (asked, { commit_sha }) =>
      pageOf(
        asked,
        [...state.pulls.values()]
          .filter(({ head, merge_commit_sha }) => [head.sha, merge_commit_sha].includes(commit_sha ?? ""))
          .map((pull) => ({ merged_at: null, merge_commit_sha: null, ...pull })),
      ),
    "pulls/list-reviews": (asked, { pull_number }) => pageOf(asked, state.reviews.get(Number(pull_number)) ?? []),
    "pulls/list-commits": (asked, { pull_number }) => pageOf(asked, state.commits.get(Number(pull_number)) ?? []),
    "repos/get-collaborator-permission-level": (_, { username = "" }) => {
      const permission = state.permissions.get(username) ?? "read";
      return [200, { permission, role_name: permission, user: person(username) }];
    },
    "checks/list-for-ref": (asked, { ref }) => {
      const runs = state.runs.filter((run) => run.head_sha === ref && run.name === new URLSearchParams(asked.path.split("?")[1]).get("check_name"));
      return [200, { total_count: runs.length, check_runs: runs.map(shownRun) }];
    },
    "checks/create": (asked) => {
      const body = asked.body as Partial<CheckRun> & { name: string; head_sha: string };
      const output = { title: "", summary: "", ...body.output, annotations: body.output?.annotations ?? [] };
      const run = { external_id: null, conclusion: null, status: "queued", ...body, output, id: 1000 + state.runs.length };
      state.runs.push(run);
      return [201, shownRun(run)];
    },
    "checks/update": (asked, { check_run_id }) => {
      const run = state.runs.find(({ id }) => id === Number(check_run_id));
      if (!run) return undefined;
      const { output, ...rest } = asked.body as Partial<CheckRun>;
      const annotations = [...run.output.annotations, ...(output?.annotations ?? [])]; // GitHub appends
      Object.assign(run, rest, { output: { ...run.output, ...output, annotations } });
      return [200, shownRun(run)];
    },
  };
}
