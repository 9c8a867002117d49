import { fidelityRowSchema, hostFactsSchema, PlastronError, tierSchema, toProblem } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems, toKnown } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { clientGone, EventStream } from "../runs/event-stream.ts";
import { policyNameSchema, policyTextSchema } from "../runs/program.ts";
import { type PolicyTests, policyTestSchema } from "./self-tests.ts";
import type { PolicyService, PolicyText, StoredPolicy } from "./service.ts";

const textSchema = z
  .object({
    yaml: policyTextSchema.describe("a VarmorPolicy or VarmorClusterPolicy; or send the text itself as application/yaml"),
    upstream_compat: z.boolean().optional().describe("unknown and mis-filed rules have no effect, as upstream treats them"),
  })
  .strict();
const compileSchema = textSchema.extend({ min_tier: tierSchema.optional().describe("say how the driver of this tier would enforce it") });
const testSchema = compileSchema.extend({ stream: z.boolean().default(false).describe("answer with server-sent events: row, result") });
const headSchema = z.object({ name: z.string(), version: z.number().int(), created_at: z.iso.datetime(), created_by: z.string().describe("id of the key") });
const policySchema = headSchema.extend({
  yaml: z.string(),
  upstream_compat: z.boolean(),
  confinement: z.string().describe("sha256 of what it compiles to on this host"),
  fidelity: z.array(fidelityRowSchema).describe("how each rule is enforced on this host"),
});
const compiledSchema = z.object({
  confinement: z.string(),
  min_tier: tierSchema.describe("what its runs need at least"),
  fidelity: z.array(fidelityRowSchema),
  host: hostFactsSchema.describe("what it was compiled for"),
});
const nameParams = z.object({ name: policyNameSchema });

/** `/v1/policies`: anyone of the tenant reads, admins write. */
export function policyRoutes(app: App, deps: { auth: AuthService; policies: PolicyService; tests: PolicyTests }): void {
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
        body: textSchema,
        response: { 200: policySchema, 201: policySchema, ...problems },
      },
    },
    async (request, reply) => {
      const { tenant, key } = request.principal;
      const { policy, created } = await deps.policies.put(tenant, request.params.name, textOf(request.body), key);
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
      data: (await deps.policies.list(request.principal.tenant)).map(({ yaml: _yaml, upstream_compat: _compat, created_at, ...row }) => ({
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
        body: compileSchema,
        response: { 200: compiledSchema, ...problems },
      },
    },
    async (request) => {
      const { confinement, fidelity, host } = await deps.policies.compile(textOf(request.body));
      return { confinement: confinement.id, min_tier: confinement.min_tier, fidelity, host };
    },
  );

  app.post(
    "/v1/policies/test",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Try each rule of a policy in real sandboxes of this host",
        description:
          "Runs two programs for each rule, one that must be denied and one that must work, and says of each row whether it passed. One test at a time; it ends when the client leaves. The programs are run for no tenant and leave no record.",
        body: testSchema,
        response: { 200: policyTestSchema, ...problems },
      },
    },
    async (request, reply) => {
      const compiled = await deps.policies.compile(textOf(request.body));
      const signal = clientGone(reply);
      if (!request.body.stream) return deps.tests.run(compiled, signal);
      const stream = new EventStream(reply);
      try {
        stream.send("result", await deps.tests.run(compiled, signal, (row) => stream.send("row", row)));
      } catch (error) {
        if (!stream.isOpen) throw error;
        stream.send("error", toProblem(toKnown(error)));
      } finally {
        stream.end();
      }
      return reply;
    },
  );
}

/** PostgreSQL's text cannot hold a NUL, and no policy has one. */
function textOf(body: z.infer<typeof compileSchema>): PolicyText {
  const { yaml, upstream_compat: upstreamCompat, min_tier: minTier } = body;
  if (yaml.includes("\0") || !yaml.isWellFormed()) throw new PlastronError("invalid_policy", "The text has a NUL character or half a surrogate pair");
  return { yaml, minTier, ...(upstreamCompat === undefined ? {} : { upstreamCompat }) };
}

function shown(policy: StoredPolicy) {
  return { ...policy, created_at: policy.created_at.toISOString() };
}
