import { enforcerSchema, idSchema, violationActionSchema } from "@plastron/contracts";
import { type RawBuilder, sql } from "kysely";
import { z } from "zod";

const words = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "NUL and half surrogate pairs are in no record");
const operations = ["Capability", "File", "Bprm", "Network", "Ptrace", "Mount", "Syscall"] as const;

/** Which violations are asked for. Attacker-controlled, every field: each is checked here and a parameter of the statement below. */
export const filterFields = {
  run_id: idSchema("run").optional(),
  session_id: idSchema("session").optional(),
  rule: words.optional().describe("disable-shell, or the field of a raw rule: bpfRawRules.files[0]"),
  rule_prefix: words.optional().describe("rules whose name begins so: disable-cap-, bpfRawRules."),
  action: violationActionSchema.optional(),
  enforcer: enforcerSchema.optional(),
  operation: z.enum(operations).optional(),
  policy: words.optional().describe("name of the policy"),
  audited: z.stringbool().optional().describe("true: that the policy asks a record of; false: denials that the sensor saw"),
  since: z.iso.datetime({ offset: true }).optional().describe("recorded at or after"),
  until: z.iso.datetime({ offset: true }).optional().describe("recorded before"),
  text: words.optional().describe("somewhere in the path, host, address, call, program or thread's name, in any case"),
};
export type ViolationFilter = { [Field in keyof typeof filterFields]?: z.output<(typeof filterFields)[Field]> | undefined };

/** The filter as conditions on a row of events. */
export function conditionsOf(filter: ViolationFilter): RawBuilder<boolean>[] {
  const { run_id, session_id, rule, rule_prefix, action, enforcer, operation, policy, audited, since, until, text } = filter;
  return [
    ...(run_id === undefined ? [] : [sql<boolean>`subject = ${run_id}`]),
    ...(session_id === undefined ? [] : [sql<boolean>`data->'metadata'->>'sessionID' = ${session_id}`]),
    ...(rule === undefined ? [] : [sql<boolean>`data->>'ruleId' = ${rule}`]),
    ...(rule_prefix === undefined ? [] : [sql<boolean>`starts_with(data->>'ruleId', ${rule_prefix})`]),
    ...(action === undefined ? [] : [sql<boolean>`data->>'action' = ${action}`]),
    ...(enforcer === undefined ? [] : [sql<boolean>`data->>'enforcer' = ${enforcer}`]),
    ...(operation === undefined ? [] : [sql<boolean>`data->'event'->>'operation' = ${operation}`]),
    ...(policy === undefined ? [] : [sql<boolean>`data->>'policyName' = ${policy}`]),
    ...(audited === undefined ? [] : [sql<boolean>`coalesce((data->'seen'->>'audited')::boolean, true) = ${audited}`]),
    ...(since === undefined ? [] : [sql<boolean>`at >= ${new Date(since)}`]),
    ...(until === undefined ? [] : [sql<boolean>`at < ${new Date(until)}`]),
    ...(text === undefined ? [] : [sql<boolean>`strpos(lower(${TEXTS}), lower(${text}::text)) > 0`]),
  ];
}

/** What a program chose, joined by what no search can hold. */
const TEXTS = sql`concat_ws(chr(1), data->'event'->>'path', data->'event'->>'host', data->'event'->>'ip', data->'event'->>'syscall', data->'event'->>'capability',
                            data->'metadata'->>'comm', data->'seen'->>'exe')`;
