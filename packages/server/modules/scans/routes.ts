import { analyserSchema, coverageSchema, findingSchema, idSchema, scanProgressSchema, scanResultSchema } from "@plastron/contracts";
import { REPORT_FORMATS, render } from "@plastron/scan";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { digestSchema } from "../artifacts/routes.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import type { Idempotency } from "../idempotency/service.ts";
import { filterFields } from "./filter.ts";
import { followScan } from "./follow.ts";
import type { ScanService } from "./service.ts";
import type { ScanRow } from "./store.ts";

const statusSchema = z.enum(["queued", "running", "complete", "incomplete", "failed", "cancelled"]);
const scanSchema = z
  .object({
    id: idSchema("scan"),
    artifact: digestSchema,
    project: z.string().nullable(),
    analysers: z.array(analyserSchema),
    status: statusSchema.describe("complete: all that matters was seen. incomplete: something was not, and that nothing was found there says nothing"),
    progress: scanProgressSchema.nullable(),
    problem: z.object({ code: z.string(), detail: z.string() }).nullable(),
    created_at: z.iso.datetime(),
    started_at: z.iso.datetime().nullable(),
    finished_at: z.iso.datetime().nullable(),
    created_by: z.string(),
  })
  .meta({ id: "Scan", description: "One look at one artifact" });
const detailSchema = scanSchema.extend({
  findings_total: z.int().nullable().describe("null until it has ended"),
  by_severity: z.record(z.string(), z.int()).nullable(),
  coverage: coverageSchema.nullable(),
});

const orderSchema = z
  .object({
    artifact: digestSchema,
    analysers: z.array(analyserSchema).min(1).optional().describe("all but fuzz, where it is absent"),
    project: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)
      .optional(),
  })
  .strict();
const params = z.object({ id: idSchema("scan") });
const page = { limit: z.coerce.number().int().min(1).max(200).default(50) };
const listQuery = z
  .object({
    ...page,
    artifact: digestSchema.optional(),
    project: z.string().max(100).optional(),
    status: statusSchema.optional(),
    cursor: idSchema("scan").optional(),
  })
  .strict();
const findingCursor = z
  .string()
  .regex(/^scn_[0-9A-HJKMNP-TV-Z]{26}\.\d{1,7}$/)
  .transform((text) => ({ scan: text.split(".")[0] as string, position: Number(text.split(".")[1]) }));
const findingView = findingSchema.extend({ scan: idSchema("scan"), artifact: digestSchema, project: z.string().nullable() });

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html",
  junit: "application/xml",
  terminal: "text/plain",
  github: "text/plain",
  sarif: "application/sarif+json",
};

/** `/v1/scans` and `/v1/findings`. */
export function scanRoutes(app: App, deps: { auth: AuthService; scans: ScanService; idempotency: Idempotency; version: string }): void {
  const mayRun = authenticateWith(deps.auth, "run");
  const mayRead = authenticateWith(deps.auth, "read");
  const { scans } = deps;
  const tags = ["scans"];

  app.post(
    "/v1/scans",
    {
      onRequest: mayRun,
      schema: {
        tags,
        summary: "Scan an artifact",
        description: "Answers at once; the scan waits for its turn.",
        body: orderSchema,
        response: { 202: scanSchema, ...problems },
      },
    },
    async (request, reply) => {
      const answer = await deps.idempotency.once(request, async () => ({ status: 202, body: shown(await scans.start(request.principal, request.body)) }));
      return reply.code(answer.status as 202).send(answer.body);
    },
  );

  app.get(
    "/v1/scans",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "List scans, newest first",
        querystring: listQuery,
        response: { 200: z.object({ data: z.array(scanSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await scans.list(request.principal.tenant, filter, limit + 1, cursor);
      const data = rows.slice(0, limit).map(shown);
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    "/v1/scans/:id",
    { onRequest: mayRead, schema: { tags, summary: "One scan: how far it is, or what it came to", params, response: { 200: detailSchema, ...problems } } },
    async (request) => {
      const { tenant } = request.principal;
      const row = await scans.get(tenant, request.params.id);
      if (row.status !== "complete" && row.status !== "incomplete") return { ...shown(row), findings_total: null, by_severity: null, coverage: null };
      const { findings, coverage } = await scans.result(tenant, row.id);
      const counts = Object.entries(Object.groupBy(findings, ({ severity }) => severity)).map(([severity, some]) => [severity, some?.length ?? 0]);
      return { ...shown(row), findings_total: findings.length, by_severity: Object.fromEntries(counts), coverage };
    },
  );

  app.get(
    "/v1/scans/:id/events",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "How far a scan is, as server-sent events",
        description:
          "Events `progress` while it runs, then one `result` with the scan, and the end; GET /v1/scans/{id} has its findings counted and its coverage. A scan that is over already gives its result at once.",
        params,
        response: { 200: scanSchema.describe("the data of `result`"), ...problems },
      },
    },
    async (request, reply) => followScan(reply, () => scans.get(request.principal.tenant, request.params.id), shown),
  );

  app.get(
    "/v1/scans/:id/report",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "The report of an ended scan",
        params,
        querystring: z.object({ format: z.enum(REPORT_FORMATS).default("json") }).strict(),
        response: { 200: z.union([scanResultSchema, z.string()]), ...problems },
      },
    },
    async (request, reply) => {
      const { format } = request.query;
      const result = await scans.result(request.principal.tenant, request.params.id);
      const type = TYPES[format] ?? "application/json";
      // The page may show what it holds and nothing else, also where a browser opens it under the server's own name.
      reply.header("content-security-policy", "sandbox allow-scripts").header("x-content-type-options", "nosniff");
      return reply
        .type(`${type}; charset=utf-8`)
        .serializer((text) => text as string)
        .send(render(result, format, { version: deps.version }));
    },
  );

  app.post(
    "/v1/scans/:id/cancel",
    { onRequest: mayRun, schema: { tags, summary: "End a scan that is not over", params, response: { 200: scanSchema, ...problems } } },
    async (request) => shown(await scans.cancel(request.principal.tenant, request.params.id)),
  );

  app.get(
    "/v1/findings",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "Findings of the newest scan of each artifact: newest scan first, within one the most urgent first",
        querystring: z.object({ ...filterFields, ...page, cursor: findingCursor.optional().describe("next_cursor of the page before") }).strict(),
        response: { 200: z.object({ data: z.array(findingView), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await scans.findings(request.principal.tenant, filter, limit + 1, cursor);
      const data = rows.slice(0, limit).map(({ data, scan, artifact, project }) => ({ ...data, scan, artifact, project }));
      const last = rows[limit - 1];
      return { data, next_cursor: rows.length > limit && last ? `${last.scan}.${last.position}` : null };
    },
  );
}

function shown({ tries: _, created_at, started_at, finished_at, ...row }: ScanRow): z.infer<typeof scanSchema> {
  const times = { created_at: created_at.toISOString(), started_at: started_at?.toISOString() ?? null, finished_at: finished_at?.toISOString() ?? null };
  return { ...row, ...times, analysers: row.analysers as z.infer<typeof analyserSchema>[] };
}
