import { EXPORT_KINDS, exportPolicyText, portableExport } from "@plastron/policy";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { policyTextSchema } from "../runs/program.ts";

const kindSchema = z.enum(EXPORT_KINDS).describe("an AppArmor profile, tables for plastron-lsm, or a seccomp profile for OCI runtimes");
const requestSchema = z
  .object({
    yaml: policyTextSchema.describe("a VarmorPolicy or VarmorClusterPolicy"),
    as: kindSchema,
    upstream_compat: z.boolean().default(false).describe("unknown and mis-filed rules have no effect, as upstream treats them"),
  })
  .strict();
const answerSchema = z.object({
  kind: kindSchema,
  file: z.string().describe("a name for the file"),
  content: z.string(),
  encoding: z.enum(["utf8", "base64"]).describe("of content; the tables of bpf-lsm are bytes"),
  rows: z.array(z.object({ rule: z.string(), note: z.string() })).describe("what this form keeps less, more or nothing of"),
  rules: z
    .array(z.object({ rule: z.string(), path: z.string() }))
    .optional()
    .describe("bpf-lsm alone: what the rule numbers in the loader's records mean"),
});

/** `POST /v1/policies/export`: stores nothing, runs nothing, and asks nothing of this host. */
export function exportRoute(app: App, deps: { auth: AuthService }): void {
  app.post(
    "/v1/policies/export",
    {
      onRequest: authenticateWith(deps.auth, "read"),
      schema: {
        tags: ["policies"],
        summary: "Write a policy in a form that another enforcer loads",
        body: requestSchema,
        response: { 200: answerSchema, ...problems },
      },
    },
    (request) => {
      const { yaml, as, upstream_compat: upstreamCompat } = request.body;
      const { rules, ...rest } = portableExport(exportPolicyText(yaml, as, { upstreamCompat }), as);
      return Promise.resolve({ ...rest, ...(rules ? { rules: [...rules] } : {}) });
    },
  );
}
