import { idSchema, PlastronError, runStatusSchema } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import { requireScope } from "../auth/principal.ts";
import type { AuthService } from "../auth/service.ts";
import type { GateService } from "../gates/service.ts";
import type { Idempotency } from "../idempotency/service.ts";
import type { PolicyService } from "../policies/service.ts";
import type { RuntimeService } from "../runtimes/service.ts";
import { answerRun } from "./answer.ts";
import { languageSchema, parseRun, runRequestSchema, runtimeOf } from "./program.ts";
import type { RunService } from "./service.ts";
import type { RunStore } from "./store.ts";
import { runSchema, runSummarySchema } from "./view.ts";

export interface RunDependencies {
  auth: AuthService;
  runs: RunService;
  store: RunStore;
  policies: PolicyService;
  runtimes: Pick<RuntimeService, "resolve">;
  idempotency: Idempotency;
  gates: Pick<GateService, "admit">;
}

const idParams = z.object({ id: idSchema("run") });
const findQuery = z.object({ timeline: z.stringbool().default(false).describe("with the timeline of a run that was traced, which is long") }).strict();
const listQuery = z
  .object({
    status: runStatusSchema.optional(),
    language: languageSchema.optional(),
    session_id: idSchema("session").optional(),
    since: z.iso.datetime({ offset: true }).optional().describe("made at or after"),
    until: z.iso.datetime({ offset: true }).optional().describe("made before"),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: idSchema("run").optional().describe("next_cursor of the page before"),
  })
  .strict();

/** `/v1/runs`. */
export function runRoutes(app: App, deps: RunDependencies): void {
  const mayRun = authenticateWith(deps.auth, "run");
  const mayRead = authenticateWith(deps.auth, "read");

  app.post(
    "/v1/runs",
    {
      onRequest: mayRun,
      schema: {
        tags: ["runs"],
        summary: "Run a program in a single-use sandbox",
        description:
          "Waits for the result, or with `stream: true` answers `text/event-stream` with the events started, stdout, stderr, violation, result (and error). A client that leaves ends its run, unless it sent an Idempotency-Key and does not stream.",
        body: runRequestSchema,
        response: { 200: runSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { runtime } = request.body;
      const packed = runtime === undefined ? undefined : await deps.runtimes.resolve(request.principal.tenant, runtime);
      const { project, artifact, loaded } = await deps.gates.admit(request.principal, request.body);
      const { program, policy: name, text, minTier, sensing, packages, asked } = parseRun(request.body, packed, loaded);
      // Whoever may choose any rules can also choose none: a key that only runs has what its tenant's admins stored.
      if (text) requireScope(request.principal, "admin");
      const resolved = text ? deps.policies.resolveText({ ...text, minTier }) : deps.policies.resolve(request.principal.tenant, name, minTier);
      // Who could use any secret of the tenant for a host of their choice would know it soon.
      if (asked.secrets.length > 0) requireScope(request.principal, "admin");
      const policy = deps.policies.asking(resolved instanceof Promise ? await resolved : resolved, asked);
      const strongest = Math.max(minTier ?? 1, policy.confinement.value.min_tier) as typeof policy.confinement.value.min_tier;
      await answerRun(request, reply, {
        ...deps,
        order: { program, packages, policy, asked, minTier: strongest, sensing, session_id: null, project, artifact },
        stream: request.body.stream,
      });
      return reply;
    },
  );

  app.get(
    "/v1/runs/:id",
    {
      onRequest: mayRead,
      schema: { tags: ["runs"], summary: "One run with its output", params: idParams, querystring: findQuery, response: { 200: runSchema, ...problems } },
    },
    async (request) => {
      const run = found(await deps.store.find(request.principal.tenant, request.params.id));
      return request.query.timeline || run.telemetry === null ? run : { ...run, telemetry: { ...run.telemetry, timeline: null } };
    },
  );

  app.get(
    "/v1/runs",
    {
      onRequest: mayRead,
      schema: {
        tags: ["runs"],
        summary: "List runs, newest first, without their output",
        querystring: listQuery,
        response: { 200: z.object({ data: z.array(runSummarySchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, language, ...filter } = request.query;
      const only = language === undefined ? {} : { language: runtimeOf(language) };
      const rows = await deps.store.list(request.principal.tenant, { ...filter, ...only, limit: limit + 1, ...(cursor ? { before: cursor } : {}) });
      const data = rows.slice(0, limit);
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    "/v1/runs/:id/cancel",
    {
      onRequest: mayRun,
      schema: {
        tags: ["runs"],
        summary: "End a run in progress",
        description: "Answers at once; the run then ends as `killed`.",
        params: idParams,
        response: { 202: z.object({ id: z.string(), cancelling: z.literal(true) }), ...problems },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { tenant } = request.principal;
      if (!deps.runs.cancel(tenant, id, "cancelled by request")) throw await elsewhere(deps.store, tenant, id);
      return reply.code(202).send({ id, cancelling: true as const });
    },
  );

  for (const [deed, summary] of [
    ["freeze", "Hold a run in progress still"],
    ["thaw", "Let a run that is held still go on"],
  ] as const) {
    app.post(
      `/v1/runs/:id/${deed}`,
      {
        onRequest: mayRun,
        schema: {
          tags: ["runs"],
          summary,
          description:
            "Answers when it is so. Its wall clock goes on while it is held: a run that stays held ends as `timed_out`. One that cannot be held is killed.",
          params: idParams,
          response: { 200: z.object({ id: z.string(), frozen: z.boolean() }), ...problems },
        },
      },
      async (request) => {
        const { id } = request.params;
        const { tenant } = request.principal;
        if (!(await deps.runs.hold(tenant, id, deed))) throw await elsewhere(deps.store, tenant, id);
        return { id, frozen: deed === "freeze" };
      },
    );
  }
}

/** Why a run that is not under way here cannot be reached. */
async function elsewhere(store: RunStore, tenant: string, id: string): Promise<PlastronError> {
  const run = found(await store.find(tenant, id));
  return new PlastronError("conflict", run.status === "running" ? "The run is in progress on another server" : `The run has ended: ${run.status}`);
}

function found<T>(run: T | undefined): T {
  if (run === undefined) throw new PlastronError("not_found", "There is no such run");
  return run;
}
