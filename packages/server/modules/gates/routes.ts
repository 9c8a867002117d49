import { gateReasonSchema } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { digestSchema } from "../artifacts/routes.ts";
import { authenticateWith } from "../auth/hook.ts";
import { demandOwn } from "../auth/principal.ts";
import type { AuthService } from "../auth/service.ts";
import type { GateService } from "./service.ts";
import type { AdmissionRow, ProjectRow } from "./store.ts";

const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/);
const documentSchema = z
  .string()
  .max(256 * 1024)
  .refine((text) => !text.includes("\0"), "NUL is not allowed")
  .nullable()
  .default(null);
const bodySchema = z
  .object({
    admission: z.enum(["open", "passed"]).default("open").describe("passed: nothing runs for it but artifacts that passed its gate"),
    gate: documentSchema.describe("its gate policy, YAML; null: the default"),
    environment: z.string().max(41).nullable().default(null).describe("which environment of the policy it is"),
    exemptions: documentSchema.describe("its exemptions, YAML, as in .plastron/exemptions.yaml; what an artifact brings of them never counts"),
  })
  .strict();
const projectSchema = bodySchema
  .extend({ name: nameSchema, updated_at: z.iso.datetime(), updated_by: z.string() })
  .meta({ id: "Project", description: "An assistant, plugin or app" });
const admissionSchema = z
  .object({
    project: nameSchema,
    artifact: digestSchema,
    decision: z.enum(["pass", "deny", "hold"]),
    reasons: z.array(gateReasonSchema),
    scan: z.string(),
    valid_until: z.iso.datetime().nullable(),
    decided_at: z.iso.datetime(),
  })
  .meta({ id: "Admission", description: "What the gate of a project said of an artifact" });
const params = z.object({ name: nameSchema });

/** `/v1/projects`, and what may run for them. */
export function gateRoutes(app: App, deps: { auth: AuthService; gates: GateService }): void {
  const [mayRead, mayRun, mayWrite] = [authenticateWith(deps.auth, "read"), authenticateWith(deps.auth, "run"), authenticateWith(deps.auth, "admin")];
  const { gates } = deps;
  const tags = ["projects"];

  app.put(
    "/v1/projects/:name",
    {
      onRequest: mayWrite,
      schema: { tags, summary: "Make a project, or change what may run for it", params, body: bodySchema, response: { 200: projectSchema, ...problems } },
    },
    async (request) => shown(await gates.put(request.principal, { name: request.params.name, ...request.body })),
  );

  app.get(
    "/v1/projects",
    { onRequest: mayRead, schema: { tags, summary: "List projects", response: { 200: z.object({ data: z.array(projectSchema) }), ...problems } } },
    async (request) => ({ data: (await gates.list(request.principal.tenant)).map(shown) }),
  );

  app.get(
    "/v1/projects/:name",
    { onRequest: mayRead, schema: { tags, summary: "One project", params, response: { 200: projectSchema, ...problems } } },
    async (request) => shown(await gates.get(request.principal.tenant, request.params.name)),
  );

  app.delete(
    "/v1/projects/:name",
    {
      onRequest: mayWrite,
      schema: { tags, summary: "Delete a project; keys that are bound to it run nothing any more", params, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await gates.remove(request.principal, request.params.name);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/v1/projects/:name/admissions",
    {
      onRequest: mayRun,
      schema: {
        tags,
        summary: "Judge an artifact by its newest scan",
        description:
          "What the project's last passed artifact had counts as known, and only what is new counts. A scan that was started with `project` is judged when it ends.",
        params,
        body: z.object({ artifact: digestSchema }).strict(),
        response: { 200: admissionSchema, ...problems },
      },
    },
    async (request) => {
      demandOwn(request.principal, request.params.name);
      return decided(await gates.decide(request.principal.tenant, request.params.name, request.body.artifact));
    },
  );

  app.get(
    "/v1/projects/:name/admissions",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "What was decided, newest first",
        params,
        querystring: z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) }).strict(),
        response: { 200: z.object({ data: z.array(admissionSchema) }), ...problems },
      },
    },
    async (request) => ({ data: (await gates.admissions(request.principal.tenant, request.params.name, request.query.limit)).map(decided) }),
  );
}

const shown = ({ updated_at, ...row }: ProjectRow): z.infer<typeof projectSchema> => ({ ...row, updated_at: updated_at.toISOString() });

function decided({ policy_sha256: _, valid_until, decided_at, ...row }: AdmissionRow): z.infer<typeof admissionSchema> {
  return { ...row, valid_until: valid_until?.toISOString() ?? null, decided_at: decided_at.toISOString() };
}
