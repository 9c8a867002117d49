import { armorProfileModel, behaviorProfileSchema, learnedPolicyText, profileSummary } from "@plastron/policy";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { policyNameSchema } from "../runs/program.ts";
import type { BehaviorService } from "./service.ts";

const params = z.object({ name: policyNameSchema });
const answerSchema = z.object({
  state: z.enum(["learning", "completed"]),
  version: z.int().describe("of the policy in mode BehaviorModeling that it was learnt under"),
  started_at: z.iso.datetime(),
  until: z.iso.datetime().nullable().describe("null: for as long as the policy stays in that mode"),
  skipped: z.int().describe("runs that were left out"),
  skipped_why: z.string().nullable().describe("why the last of them was"),
  summary: z.array(z.string()),
  profile: behaviorProfileSchema,
});
const modelSchema = z.looseObject({ apiVersion: z.string(), kind: z.literal("ArmorProfileModel") });
const requestSchema = z
  .object({
    name: policyNameSchema.optional().describe("of the new policy; the same where it is left out"),
    allow_dangerous: z.boolean().default(false).describe("give what the profile calls dangerous, too"),
  })
  .strict();

/** `/v1/policies/NAME/behavior`: what was learnt under a policy, and the policy that allows that alone. */
export function behaviorRoutes(app: App, deps: { auth: AuthService; behavior: BehaviorService }): void {
  const onRequest = authenticateWith(deps.auth, "read");
  const tags = ["policies"];

  app.get(
    "/v1/policies/:name/behavior",
    {
      onRequest,
      schema: {
        tags,
        summary: "What runs under a policy in mode BehaviorModeling were seen to do",
        params,
        querystring: z.object({ as: z.enum(["profile", "armor-profile-model"]).default("profile").describe("the second is what vArmor reads") }).strict(),
        response: { 200: z.union([answerSchema, modelSchema]), ...problems },
      },
    },
    async (request) => {
      const { name } = request.params;
      const { profile, started_at, until, updated_at: _, ...row } = await deps.behavior.get(request.principal.tenant, name);
      if (request.query.as === "armor-profile-model") return armorProfileModel(profile, name) as z.infer<typeof modelSchema>;
      return { ...row, started_at: started_at.toISOString(), until: until?.toISOString() ?? null, summary: profileSummary(profile), profile };
    },
  );

  app.post(
    "/v1/policies/:name/behavior/policy",
    {
      onRequest,
      schema: {
        tags,
        summary: "Make a policy of what was learnt: it allows that and nothing else",
        description: "Stores nothing: read it, and store it with PUT /v1/policies.",
        params,
        body: requestSchema,
        response: { 200: z.object({ yaml: z.string() }), ...problems },
      },
    },
    async (request) => {
      const { profile } = await deps.behavior.get(request.principal.tenant, request.params.name);
      const { name = request.params.name, allow_dangerous: allowDangerous } = request.body;
      return { yaml: learnedPolicyText(profile, { name, allowDangerous }) };
    },
  );
}
