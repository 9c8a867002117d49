import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import { requireOperator } from "../auth/principal.ts";
import type { AuthService } from "../auth/service.ts";
import type { Idempotency } from "../idempotency/service.ts";
import { type TenantService, tenantIdSchema } from "./service.ts";

const tenantSchema = z.object({ id: z.string(), created_at: z.iso.datetime() });

/** `/v1/tenants`: for the operator only. */
export function tenantRoutes(app: App, deps: { auth: AuthService; tenants: TenantService; idempotency: Idempotency }): void {
  const onRequest = authenticateWith(deps.auth, "admin");

  app.post(
    "/v1/tenants",
    {
      onRequest,
      schema: {
        tags: ["tenants"],
        summary: "Make a tenant (operator)",
        body: z.object({ id: tenantIdSchema }).strict(),
        response: { 201: tenantSchema, ...problems },
      },
    },
    async (request, reply) => {
      requireOperator(request.principal);
      const answer = await deps.idempotency.once(request, async () => {
        const tenant = await deps.tenants.create(request.body.id);
        return { status: 201, body: { id: tenant.id, created_at: tenant.created_at.toISOString() } };
      });
      return reply.code(201).send(answer.body);
    },
  );

  app.get(
    "/v1/tenants",
    {
      onRequest,
      schema: { tags: ["tenants"], summary: "List the tenants (operator)", response: { 200: z.object({ data: z.array(tenantSchema) }), ...problems } },
    },
    async (request) => {
      requireOperator(request.principal);
      return { data: (await deps.tenants.list()).map((tenant) => ({ id: tenant.id, created_at: tenant.created_at.toISOString() })) };
    },
  );
}
