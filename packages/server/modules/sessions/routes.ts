import { idSchema, limitsSchema, programSchema, tierSchema } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import { requireScope } from "../auth/principal.ts";
import type { AuthService } from "../auth/service.ts";
import type { GateService } from "../gates/service.ts";
import type { Idempotency } from "../idempotency/service.ts";
import type { PolicyService } from "../policies/service.ts";
import { answerRun } from "../runs/answer.ts";
import { networkFields, networkViewSchema } from "../runs/network.ts";
import { languageSchema, ONE_INTERPRETER, policyNameSchema, runtimeOf, sessionRunRequestSchema } from "../runs/program.ts";
import type { RunService } from "../runs/service.ts";
import { runSchema } from "../runs/view.ts";
import { runtimeReferenceSchema } from "../runtimes/name.ts";
import type { RuntimeService } from "../runtimes/service.ts";
import { type SessionService, statusOf } from "./service.ts";
import type { SessionRow } from "./store.ts";

const sessionSchema = z
  .object({
    id: z.string(),
    status: z.enum(["open", "closed", "expired"]),
    language: z.string(),
    runtime: z.string().nullable().describe("NAME@VERSION of its packages, which an update does not change"),
    policy: z.object({ name: z.string(), version: z.number().int().nullable() }).describe("what it was opened with and keeps"),
    network: networkViewSchema,
    policy_current: z.boolean().describe("false where the policy was changed or deleted since: a new session would get another"),
    limits: limitsSchema,
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    closed_at: z.iso.datetime().nullable(),
    close_reason: z.string().nullable(),
  })
  .meta({ id: "Session", description: "A sandbox that keeps its interpreter's state between runs" });
const openSchema = z
  .object({
    language: languageSchema.optional(),
    runtime: runtimeReferenceSchema.optional().describe("NAME or NAME@VERSION of a runtime with packages, instead of language"),
    policy: policyNameSchema.optional(),
    ...networkFields,
    min_tier: tierSchema.optional(),
    imports: programSchema.shape.imports,
    limits: limitsSchema.default(limitsSchema.parse({})),
    ttl_ms: z.number().int().min(1000).max(3_600_000).default(600_000).describe("the session ends after this, whatever it does"),
  })
  .strict()
  .refine(...ONE_INTERPRETER);
const idParams = z.object({ id: idSchema("session") });

export interface SessionDependencies {
  auth: AuthService;
  sessions: SessionService;
  runs: RunService;
  policies: PolicyService;
  runtimes: Pick<RuntimeService, "resolve">;
  idempotency: Idempotency;
  gates: Pick<GateService, "demandOpen">;
}

/** `/v1/sessions`. */
export function sessionRoutes(app: App, deps: SessionDependencies): void {
  const mayRun = authenticateWith(deps.auth, "run");
  const mayRead = authenticateWith(deps.auth, "read");
  const tags = ["sessions"];

  app.post(
    "/v1/sessions",
    { onRequest: mayRun, schema: { tags, summary: "Open a session", body: openSchema, response: { 201: sessionSchema, ...problems } } },
    async (request, reply) => {
      const { language, runtime, imports, limits, ttl_ms, min_tier, policy: name, network, secrets } = request.body;
      if (secrets.length > 0) requireScope(request.principal, "admin");
      await deps.gates.demandOpen(request.principal);
      const answer = await deps.idempotency.once(request, async () => {
        const packages = runtime === undefined ? null : await deps.runtimes.resolve(request.principal.tenant, runtime);
        const named = packages?.language ?? runtimeOf(language as z.infer<typeof languageSchema>);
        const asked = { network, secrets };
        const policy = deps.policies.asking(await deps.policies.resolve(request.principal.tenant, name, min_tier), asked);
        const minTier = Math.max(min_tier ?? 1, policy.confinement.value.min_tier) as typeof policy.confinement.value.min_tier;
        const session = await deps.sessions.open(request.principal, { language: named, packages, imports, limits, minTier, ttlMs: ttl_ms, policy, asked });
        return { status: 201, body: await shownOne(deps.sessions, request.principal.tenant, session) };
      });
      return reply.code(201).send(answer.body);
    },
  );

  app.get(
    "/v1/sessions",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "List sessions, newest first",
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50), cursor: idSchema("session").optional() }).strict(),
        response: { 200: z.object({ data: z.array(sessionSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const rows = await deps.sessions.list(request.principal.tenant, limit + 1, cursor);
      const data = await shownAll(deps.sessions, request.principal.tenant, rows.slice(0, limit));
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    "/v1/sessions/:id",
    { onRequest: mayRead, schema: { tags, summary: "One session", params: idParams, response: { 200: sessionSchema, ...problems } } },
    async (request) => {
      const { tenant } = request.principal;
      return shownOne(deps.sessions, tenant, await deps.sessions.find(tenant, request.params.id));
    },
  );

  app.post(
    "/v1/sessions/:id/runs",
    {
      onRequest: mayRun,
      schema: {
        tags,
        summary: "Run a program in a session",
        description: "One at a time: session_busy while another runs. Answers as POST /v1/runs does, `stream` included.",
        params: idParams,
        body: sessionRunRequestSchema,
        response: { 200: runSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { tenant } = request.principal;
      const order = await deps.sessions.order(tenant, request.params.id, request.body);
      const runs = deps.sessions.watching(deps.runs, tenant, request.params.id);
      await answerRun(request, reply, { ...deps, runs, order, stream: request.body.stream });
      return reply;
    },
  );

  app.delete(
    "/v1/sessions/:id",
    { onRequest: mayRun, schema: { tags, summary: "Close a session and kill what runs in it", params: idParams, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await deps.sessions.close(request.principal.tenant, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

async function shownOne(sessions: SessionService, tenant: string, row: SessionRow): Promise<z.infer<typeof sessionSchema>> {
  return (await shownAll(sessions, tenant, [row]))[0] as z.infer<typeof sessionSchema>;
}

async function shownAll(sessions: SessionService, tenant: string, rows: SessionRow[]): Promise<z.infer<typeof sessionSchema>[]> {
  const current = await sessions.areCurrent(tenant, rows);
  return rows.map((row, i) => shown(row, current[i] as boolean));
}

function shown(row: SessionRow, policy_current: boolean): z.infer<typeof sessionSchema> {
  return {
    ...{ id: row.id, status: statusOf(row), language: row.language, runtime: row.runtime, network: row.network, limits: row.limits },
    ...{ policy: { name: row.policy, version: row.policy_version }, policy_current },
    ...{ created_at: row.created_at.toISOString(), expires_at: row.expires_at.toISOString() },
    ...{ closed_at: row.closed_at?.toISOString() ?? null, close_reason: row.close_reason },
  };
}
