import { gateDecisionSchema, idSchema, PlastronError } from "@plastron/contracts";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { type ForgeService, unsigned } from "./service.ts";
import { SIGNATURE } from "./signature.ts";
import type { Binding, ChangeRow } from "./store.ts";

/** A push that is larger than this is one of thousands of commits. Nobody is known before the whole body is there. */
const MOST_BYTES = 5 * 2 ** 20;

const projectName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/);
/** GitHub's own alphabet; `.` and `..` are no names. */
const segment = z.string().regex(/^(?!\.+$)[\w.-]{1,100}$/);
const params = z.object({ owner: segment, name: segment });
const bindingSchema = z
  .object({
    repository: z.string(),
    repository_id: z.int().describe("GitHub's own number: it outlives a new name"),
    installation: z.int(),
    project: projectName,
    tenant: z.string(),
    bound_at: z.iso.datetime(),
    bound_by: z.string(),
  })
  .meta({ id: "ForgeRepository", description: "A repository on GitHub of which changes are judged for a project" });
const stateSchema = z.enum(["queued", "running", "passed", "denied", "held", "failed", "superseded"]);
const changeSchema = z
  .object({
    id: idSchema("change"),
    project: projectName,
    repository: z.string(),
    line: z.string().describe("what it is one state of: pull/7, or a branch"),
    target: z.string().nullable().describe("the branch that it goes into; null: the default one"),
    number: z.int().nullable().describe("of the pull request"),
    base: z.string().nullable(),
    head: z.string(),
    status: stateSchema.describe("held: it cannot be said. failed: it could not be judged. superseded: something newer came"),
    decision: gateDecisionSchema.nullable(),
    problem: z.object({ code: z.string(), detail: z.string() }).nullable(),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
  })
  .meta({ id: "ForgeChange", description: "A change on GitHub and what the gate said of it" });
const listQuery = z
  .object({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: idSchema("change").optional(),
    project: z.string().max(100).optional(),
    status: stateSchema.optional(),
  })
  .strict();
const tags = ["forges"];

/** `/v1/forges`: GitHub's door, the repositories that are bound, and what was decided. */
export function forgeRoutes(app: App, deps: { auth: AuthService; forges: ForgeService }): void {
  const { forges } = deps;
  const [mayRead, mayWrite] = [authenticateWith(deps.auth, "read"), authenticateWith(deps.auth, "admin")];
  void app.register(async (door) => webhookRoute(door as unknown as FastifyInstance, forges));

  app.put(
    "/v1/forges/github/repositories/:owner/:name",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Bind a repository to a project",
        description: "Needs an admin key of the operator's tenant: the app reads every repository that it is installed on. `tenant` says whose project it is.",
        params,
        body: z.object({ project: projectName, tenant: z.string().max(100).optional() }).strict(),
        response: { 200: bindingSchema, ...problems },
      },
    },
    async (request) => bound(await forges.bind(request.principal, request.params, request.body)),
  );

  app.get(
    "/v1/forges/repositories",
    {
      onRequest: mayRead,
      schema: { tags, summary: "List bound repositories", response: { 200: z.object({ data: z.array(bindingSchema) }), ...problems } },
    },
    async (request) => ({ data: (await forges.bindings(request.principal.tenant)).map(bound) }),
  );

  app.delete(
    "/v1/forges/github/repositories/:owner/:name",
    { onRequest: mayWrite, schema: { tags, summary: "Judge a repository's changes no more", params, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await forges.unbind(request.principal, request.params);
      return reply.code(204).send(null);
    },
  );

  app.get(
    "/v1/forges/changes",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "List judged changes, newest first",
        querystring: listQuery,
        response: { 200: z.object({ data: z.array(changeSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await forges.changes(request.principal.tenant, filter, limit + 1, cursor);
      const data = rows.slice(0, limit).map(shown);
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    "/v1/forges/changes/:id",
    {
      onRequest: mayRead,
      schema: { tags, summary: "One change and what was decided", params: z.object({ id: idSchema("change") }), response: { 200: changeSchema, ...problems } },
    },
    async (request) => shown(await forges.change(request.principal.tenant, request.params.id)),
  );
}

/** In a scope of its own: its body is taken as bytes, since the signature is over them and nothing reads them before it is checked. */
function webhookRoute(door: FastifyInstance, forges: ForgeService): void {
  door.removeAllContentTypeParsers();
  door.addContentTypeParser("application/json", { parseAs: "buffer", bodyLimit: MOST_BYTES }, (_request, body, done) => done(null, body));
  door.post(
    "/v1/forges/github/webhook",
    {
      bodyLimit: MOST_BYTES,
      // Before the body is read: who brings no signature at all brings no megabytes either.
      onRequest: async (request) => {
        forges.demandApp();
        if (!SIGNATURE.test(header(request, "x-hub-signature-256"))) throw unsigned();
      },
      schema: {
        tags,
        summary: "What GitHub delivers to the app",
        description: "Authenticated by `X-Hub-Signature-256` over the body, with no API key. A delivery (`X-GitHub-Delivery`) acts once.",
        security: [],
        response: { 202: z.object({ status: z.enum(["queued", "known", "ignored"]), changes: z.array(z.string()) }), ...problems },
      },
    },
    async (request, reply) => {
      const named = HEADERS.safeParse({ event: request.headers["x-github-event"], delivery: request.headers["x-github-delivery"] });
      if (!named.success) throw new PlastronError("invalid_request", "X-GitHub-Event and X-GitHub-Delivery are missing, or are none");
      const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const answer = await forges.receive({ ...named.data, signature: header(request, "x-hub-signature-256"), body });
      return reply.code(202).send(answer);
    },
  );
}

const HEADERS = z.object({ event: z.string().regex(/^[a-z_]{1,60}$/), delivery: z.string().regex(/^[\w-]{1,100}$/) });
const header = (request: FastifyRequest, name: string): string => String(request.headers[name] ?? "");

const bound = ({ bound_at, ...row }: Binding): z.infer<typeof bindingSchema> => ({ ...row, bound_at: bound_at.toISOString() });

function shown({ created_at, started_at, finished_at, ...row }: ChangeRow): z.infer<typeof changeSchema> {
  const times = { created_at: created_at.toISOString(), started_at: started_at?.toISOString() ?? null, finished_at: finished_at?.toISOString() ?? null };
  return { ...row, ...times };
}
