import { idSchema, PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import type { Answer, Idempotency } from "../idempotency/service.ts";
import type { TenantService } from "../tenants/service.ts";
import { tenantIdSchema } from "../tenants/service.ts";
import { authenticateWith } from "./hook.ts";
import { isOperator, type Principal, requireOperator, scopeSchema } from "./principal.ts";
import type { AuthService } from "./service.ts";

const keySchema = z.object({
  id: z.string(),
  tenant: z.string(),
  name: z.string(),
  scopes: z.array(scopeSchema),
  project: z.string().nullable().describe("the project that it is bound to"),
  created_at: z.iso.datetime(),
  revoked_at: z.iso.datetime().nullable(),
});
const createdKeySchema = keySchema.extend({
  key: z.string().nullable().describe("the key itself, shown this once; null when an Idempotency-Key repeats the request"),
});
const createSchema = z
  .object({
    name: z.string().min(1).max(200).default("key"),
    scopes: z.array(scopeSchema).min(1).max(3).default(["run"]),
    project: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,99}$/)
      .optional()
      .describe("bind it: what it runs, runs for this project, whatever a request says"),
    tenant: tenantIdSchema.optional().describe("another tenant than the caller's own: for admin keys of the operator's tenant"),
  })
  .strict()
  .refine(({ project, scopes }) => project === undefined || !scopes.includes("admin"), "a key that is bound to a project cannot have the scope admin");

/** `/v1/keys`: for admins, of their own tenant; for the operator, of every tenant. */
export function keyRoutes(app: App, deps: { auth: AuthService; tenants: TenantService; idempotency: Idempotency }): void {
  const onRequest = authenticateWith(deps.auth, "admin");

  app.post(
    "/v1/keys",
    { onRequest, schema: { tags: ["keys"], summary: "Make an API key", body: createSchema, response: { 201: createdKeySchema, ...problems } } },
    async (request, reply) => {
      const { name, scopes, project, tenant = request.principal.tenant } = request.body;
      await mayManage(request.principal, tenant, deps.tenants);
      const answer = await deps.idempotency.once(request, async (): Promise<Answer<z.infer<typeof createdKeySchema>>> => {
        const created = await deps.auth.create(tenant, name, scopes, project ?? null);
        const shown = { ...created, created_at: created.created_at.toISOString(), revoked_at: null };
        return { status: 201, body: shown, kept: { ...shown, key: null } }; // the secret must not be at rest anywhere
      });
      return reply.code(201).send(answer.body);
    },
  );

  app.get(
    "/v1/keys",
    {
      onRequest,
      schema: {
        tags: ["keys"],
        summary: "List the keys of a tenant",
        querystring: z.object({ tenant: tenantIdSchema.optional() }).strict(),
        response: { 200: z.object({ data: z.array(keySchema) }), ...problems },
      },
    },
    async (request) => {
      const tenant = request.query.tenant ?? request.principal.tenant;
      await mayManage(request.principal, tenant, deps.tenants);
      const rows = await deps.auth.list(tenant);
      return {
        data: rows.map((row) => ({
          ...{ id: row.id, tenant: row.tenant, name: row.name, scopes: row.scopes, project: row.project },
          ...{ created_at: row.created_at.toISOString(), revoked_at: row.revoked_at?.toISOString() ?? null },
        })),
      };
    },
  );

  app.delete(
    "/v1/keys/:id",
    {
      onRequest,
      schema: {
        tags: ["keys"],
        summary: "Revoke a key at once",
        params: z.object({ id: z.union([idSchema("key"), z.string().regex(/^key_preset_[a-z]+$/)]) }),
        querystring: z.object({ tenant: tenantIdSchema.optional() }).strict(),
        response: { 204: z.null(), ...problems },
      },
    },
    async (request, reply) => {
      const tenant = request.query.tenant ?? request.principal.tenant;
      await mayManage(request.principal, tenant, deps.tenants);
      await deps.auth.revoke(tenant, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

async function mayManage(principal: Principal, tenant: string, tenants: TenantService): Promise<void> {
  if (tenant === principal.tenant) return;
  requireOperator(principal);
  if (isOperator(principal) && !(await tenants.exists(tenant))) throw new PlastronError("not_found", "There is no such tenant");
}
