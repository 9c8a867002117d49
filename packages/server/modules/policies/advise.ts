import { ADVISED_ENFORCERS, adviceText, advise, FEATURES, readBehavior } from "@plastron/policy";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { policyNameSchema } from "../runs/program.ts";

const words = z.array(z.string().max(100)).max(64);
const requestSchema = z
  .object({
    name: policyNameSchema.default("advised"),
    enforcers: words.default(["BPF", "Seccomp"]).describe(`${[...ADVISED_ENFORCERS, "NetworkProxy"].join(", ")}`),
    capabilities: words.default([]).describe("what the workload needs, e.g. NET_BIND_SERVICE"),
    features: words.default([]).describe(Object.keys(FEATURES).join(", ")),
    behavior: z.unknown().optional().describe("Plastron's behaviour profile, or vArmor's ArmorProfileModel"),
  })
  .strict();
const decisionSchema = z.object({ rule: z.string(), category: z.string(), decision: z.enum(["in", "out"]), reason: z.string() });
const answerSchema = z.object({
  yaml: z.string().describe("the policy, with the reason behind each rule"),
  decisions: z.array(decisionSchema).describe("every built-in rule, in or out"),
  raw: z.array(z.object({ field: z.string(), what: z.string(), reason: z.string() })),
});

/** `POST /v1/policies/advise`: stores nothing and runs nothing. */
export function adviseRoute(app: App, deps: { auth: AuthService }): void {
  app.post(
    "/v1/policies/advise",
    {
      onRequest: authenticateWith(deps.auth, "read"),
      schema: {
        tags: ["policies"],
        summary: "Propose a policy with a reason for every rule",
        body: requestSchema,
        response: { 200: answerSchema, ...problems },
      },
    },
    (request) => {
      const { behavior, ...rest } = request.body;
      const advice = advise({ ...rest, behavior: behavior === undefined || behavior === null ? null : readBehavior(behavior) });
      return Promise.resolve({ yaml: adviceText(advice), decisions: advice.decisions, raw: advice.raw });
    },
  );
}
