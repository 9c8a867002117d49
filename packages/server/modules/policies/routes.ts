import { fidelityRowSchema, hostFactsSchema, PlastronError } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { policyNameSchema } from "../runs/program.ts";
import type { HostKnowledge } from "./host.ts";
import type { PolicyService, StoredPolicy } from "./service.ts";

const bodySchema = z
  .object({
    yaml: z
      .string()
      .min(1)
      .max(1024 * 1024)
      .describe("a VarmorPolicy or VarmorClusterPolicy; or send the text itself as application/yaml"),
  })
  .strict();
const headSchema = z.object({ name: z.string(), version: z.number().int(), created_at: z.iso.datetime(), created_by: z.string().describe("id of the key") });
const policySchema = headSchema.extend({
  yaml: z.string(),
  confinement: z.string().describe("sha256 of what it compiles to on this host"),
  fidelity: z.array(fidelityRowSchema).describe("how each rule is enforced on this host"),
});
const nameParams = z.object({ name: policyNameSchema });

/** `/v1/policies`: anyone of the tenant reads, admins write. */
export function policyRoutes(app: App, deps: { auth: AuthService; policies: PolicyService; host: HostKnowledge }): void {
  const mayRead = authenticateWith(deps.auth, "read");
  const mayWrite = authenticateWith(deps.auth, "admin");
  const tags = ["policies"];

  app.put(
    "/v1/policies/:name",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Store a policy (a new version where the text differs)",
        params: nameParams,
        body: bodySchema,
        response: { 200: policySchema, 201: policySchema, ...problems },
      },
    },
    async (request, reply) => {
      const { policy, created } = await deps.policies.put(request.principal.tenant, request.params.name, clean(request.body.yaml), request.principal.key);
      return reply.code(created ? 201 : 200).send(shown(policy));
    },
  );

  app.get(
    "/v1/policies/:name",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "A policy with its fidelity report",
        params: nameParams,
        querystring: z.object({ version: z.coerce.number().int().min(1).optional() }).strict(),
        response: { 200: policySchema, ...problems },
      },
    },
    async (request) => shown(await deps.policies.get(request.principal.tenant, request.params.name, request.query.version)),
  );

  app.get(
    "/v1/policies",
    {
      onRequest: mayRead,
      schema: { tags, summary: "List the policies of the tenant", response: { 200: z.object({ data: z.array(headSchema) }), ...problems } },
    },
    async (request) => ({
      data: (await deps.policies.list(request.principal.tenant)).map(({ yaml: _yaml, created_at, ...row }) => ({
        ...row,
        created_at: created_at.toISOString(),
      })),
    }),
  );

  app.delete(
    "/v1/policies/:name",
    {
      onRequest: mayWrite,
      schema: { tags, summary: "Delete a policy; its versions stay in the record", params: nameParams, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await deps.policies.remove(request.principal.tenant, request.params.name, request.principal.key);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/v1/policies/compile",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "Compile a policy for this host without storing it",
        body: bodySchema,
        response: { 200: z.object({ confinement: z.string(), fidelity: z.array(fidelityRowSchema), host: hostFactsSchema }), ...problems },
      },
    },
    async (request) => {
      const compiled = await deps.policies.compile(clean(request.body.yaml));
      return { confinement: compiled.confinement.id, fidelity: compiled.fidelity, host: await deps.host.facts() };
    },
  );
}

/** PostgreSQL's text cannot hold a NUL, and no policy has one. */
function clean(yaml: string): string {
  if (yaml.includes("\0") || !yaml.isWellFormed()) throw new PlastronError("invalid_policy", "The text has a NUL character or half a surrogate pair");
  return yaml;
}

function shown(policy: StoredPolicy) {
  return { ...policy, created_at: policy.created_at.toISOString() };
}
