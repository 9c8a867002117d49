import { enforcerSchema, idSchema, type Violation, violationActionSchema, violationEventSchema } from "@plastron/contracts";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import type { StoredViolation, ViolationStore } from "./store.ts";

const viewSchema = z
  .object({
    id: z.string().describe("its run, and its number there"),
    run_id: z.string(),
    session_id: z.string().nullable(),
    policy: z.object({ name: z.string(), version: z.number().int().nullable(), sha256: z.string().optional() }),
    rule_id: z.string(),
    rule_path: z.string().describe("where the rule stands in the policy"),
    enforcer: enforcerSchema,
    action: violationActionSchema,
    event: violationEventSchema,
    pid: z.number().int(),
    comm: z.string(),
    mnt_ns_id: z.number().nullable().describe("mount namespace; null where nobody knows it"),
    runtime: z.string(),
    node: z.string(),
    at: z.iso.datetime().describe("when it happened"),
    recorded_at: z.iso.datetime(),
  })
  .meta({ id: "Violation", description: "A rule of the policy was hit. All text in `event` and `comm` was chosen by the program." });

const cursorSchema = z
  .string()
  .regex(/^run_[0-9A-HJKMNP-TV-Z]{26}\.\d{1,4}$/)
  .transform((text) => {
    const [run, n] = text.split(".") as [string, string];
    return { run, n: Number(n) };
  });
const querySchema = z
  .object({
    run_id: idSchema("run").optional(),
    rule: z.string().min(1).max(200).optional().describe("disable-shell, or the field of a raw rule: bpfRawRules.files[0]"),
    action: violationActionSchema.optional(),
    since: z.iso.datetime({ offset: true }).optional().describe("recorded at or after"),
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: cursorSchema.optional().describe("next_cursor of the page before"),
  })
  .strict();

/** `/v1/violations`: what runs of the tenant did against their policies. */
export function violationRoutes(app: App, deps: { auth: AuthService; store: ViolationStore }): void {
  app.get(
    "/v1/violations",
    {
      onRequest: authenticateWith(deps.auth, "read"),
      schema: {
        tags: ["violations"],
        summary: "List violations: of the newest run first, within a run the newest first",
        querystring: querySchema,
        response: { 200: z.object({ data: z.array(viewSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await deps.store.list(request.principal.tenant, { ...filter, limit: limit + 1, ...(cursor ? { before: cursor } : {}) });
      const data = rows.slice(0, limit).map(shown);
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );
}

function shown({ run_id, n, recorded_at, record }: StoredViolation): z.infer<typeof viewSchema> {
  const { metadata } = record;
  return {
    ...{ id: `${run_id}.${n}`, run_id, session_id: metadata.sessionID },
    policy: { name: record.policyName, version: metadata.policyVersion, ...(metadata.policySha256 === null ? {} : { sha256: metadata.policySha256 }) },
    ...{ rule_id: record.ruleId, rule_path: metadata.rulePath },
    ...{ enforcer: record.enforcer as Violation["enforcer"], action: record.action as Violation["action"] },
    event: violationEventSchema.parse(record.event), // without what the log has of a system call for upstream's readers
    ...{ pid: record.pid, comm: metadata.comm, mnt_ns_id: record.mntNsID || null, runtime: record.containerName, node: record.nodeName },
    ...{ at: record.time, recorded_at: recorded_at.toISOString() },
  };
}
