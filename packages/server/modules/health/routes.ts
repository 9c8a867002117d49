import { agentStatusSchema, doctorReportSchema } from "@plastron/contracts";
import { z } from "zod";
import type { AgentClient } from "../../agent-client/client.ts";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import { requireOperator } from "../auth/principal.ts";
import type { AuthService } from "../auth/service.ts";
import type { AdvisoryState } from "../scans/rematch.ts";
import type { ViolationLog } from "../violations/log.ts";
import type { Metrics } from "./metrics.ts";
import type { HealthService } from "./service.ts";

const healthSchema = z.object({
  status: z.enum(["ok", "degraded"]),
  version: z.string(),
  database: z.enum(["ok", "unreachable"]),
  agent: z.enum(["ok", "unreachable"]),
  tier: z.number().nullable(),
});

const statusSchema = agentStatusSchema.extend({
  advisories: z
    .object({
      state: z.enum(["in_use", "damaged", "older", "unknown"]).describe("damaged and older ones change nothing of what is stored; unknown: not looked at yet"),
      detail: z.string().nullable(),
      as_of: z.iso.datetime().nullable(),
      seed: z.boolean(),
      waiting: z.int(),
    })
    .describe("what stored scans are held against, and how many wait for it"),
  violations_log: z
    .object({ path: z.string(), written: z.number().int(), lost: z.number().int(), error: z.string().nullable() })
    .nullable()
    .describe("the file that violations are copied to: records since the start, and why the last write failed"),
});

interface HealthDependencies {
  auth: AuthService;
  health: HealthService;
  metrics: Metrics;
  agent: Pick<AgentClient, "status">;
  violationsLog: ViolationLog | undefined;
  advisories: () => AdvisoryState;
}

/** `/v1/health` and `/metrics` need no key; `/v1/doctor` and `/v1/status` are the operator's. */
export function healthRoutes(app: App, deps: HealthDependencies): void {
  const onRequest = authenticateWith(deps.auth, "admin");

  app.get(
    "/v1/health",
    { schema: { tags: ["operations"], summary: "Whether runs can be taken (no key)", security: [], response: { 200: healthSchema, 503: healthSchema } } },
    async (_request, reply) => {
      const health = await deps.health.check();
      return reply.code(health.status === "ok" ? 200 : 503).send(health);
    },
  );

  app.get(
    "/metrics",
    { schema: { tags: ["operations"], summary: "Prometheus metrics (no key, no tenant's data)", security: [], response: { 200: z.string() } } },
    async (_request, reply) => {
      const { type, text } = await deps.metrics.page();
      return reply.type(type).serializer(String).send(text);
    },
  );

  app.get(
    "/v1/doctor",
    {
      onRequest,
      schema: {
        tags: ["operations"],
        summary: "Every control of this host: working, missing, how to get it (operator)",
        response: { 200: doctorReportSchema, ...problems },
      },
    },
    async (request) => {
      requireOperator(request.principal);
      return deps.health.doctor();
    },
  );

  app.get(
    "/v1/status",
    {
      onRequest,
      schema: { tags: ["operations"], summary: "What the agent runs and its warm pools (operator)", response: { 200: statusSchema, ...problems } },
    },
    async (request) => {
      requireOperator(request.principal);
      return { ...(await deps.agent.status()), advisories: deps.advisories(), violations_log: deps.violationsLog?.state ?? null };
    },
  );
}
