import { z } from "zod";
import { networkSchema } from "./network.ts";
import { secretGrantSchema } from "./network-request.ts";
import { trafficSchema } from "./run.ts";
import { violationActionSchema, violationEventSchema } from "./violation.ts";

/**
 * What the driver and the egress process say to each other: one JSON document a line, on descriptor 3 of the egress process.
 * Its end of file is the death of the other side.
 */
const certificateAuthority = z.object({ certificate: z.string().describe("PEM"), key: z.string().describe("PEM") });
export type CertificateAuthority = z.infer<typeof certificateAuthority>;

/** A grant (network-request.ts) with the text that stands for it in this one sandbox. */
export const placedSecretSchema = secretGrantSchema.omit({ env: true }).extend({ placeholder: z.string().min(24) });
export type PlacedSecret = z.infer<typeof placedSecretSchema>;

/** What one sandbox did through its way out, over its whole life; lists are bounded as the telemetry's are. */
export const egressAccountSchema = z.object({
  traffic: trafficSchema,
  flows: z.array(
    z.object({
      address: z.string().describe("that the sandbox dialled: one that stands for `host`, or the destination itself"),
      port: z.int(),
      host: z.string().nullable(),
      connections: z.int(),
      bytes_in: z.number(),
      bytes_out: z.number(),
    }),
  ),
  names: z.array(
    z.object({
      ...{ name: z.string(), type: z.string(), answer: z.enum(["allowed", "denied"]), count: z.int() },
      at_us: z.number().nullish().describe("of the first question since the last `synced`, by the machine's monotonic clock; null: there was none"),
    }),
  ),
  flows_dropped: z.int().default(0).describe("connections that are in `traffic` and in no listed flow"),
  names_dropped: z.int().default(0).describe("questions whose name is not listed"),
  flags: z.array(z.enum(["dns_tunnel", "domain_fronting"])).describe("raised since the last `synced`"),
});
export type EgressAccount = z.infer<typeof egressAccountSchema>;

export const toEgressSchema = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("start"),
    uid: z.int().min(1).nullable().describe("what it becomes before it takes the first connection; null: it stays who it is"),
    authority: certificateAuthority.nullable().describe("of the process before it; null: it makes one"),
    secrets: z.string().nullable().describe("directory of TENANT/NAME/KEY files, read when a request needs one"),
    hosts: z.record(z.string(), z.string()).describe("name → the one address that it stands for, whatever that address is"),
    trust: z.array(z.string()).describe("further certificates (PEM) that servers may be certified by"),
  }),
  z.object({
    type: z.literal("admit"),
    token: z.string(),
    network: networkSchema,
    rules: z.array(z.object({ id: z.string(), path: z.string() })),
    tenant: z.string().nullable().describe("null: a warm sandbox, which is nobody's yet and has no secrets"),
  }),
  z.object({
    type: z.literal("assign").describe("before the program gets to run; once for each sandbox, since one of two tenants' is nobody's any more"),
    token: z.string(),
    tenant: z.string(),
    secrets: z.array(placedSecretSchema).default([]),
  }),
  z.object({ type: z.literal("forget"), token: z.string() }),
  z.object({ type: z.literal("sync").describe("at any time, as often as is wanted"), token: z.string(), id: z.int() }),
  z.object({
    type: z.literal("limit").describe("of one run, counted from now on; takes the place of the limit before it"),
    token: z.string(),
    id: z.int().describe("is told again by `exceeded`"),
    bytes_out: z.int().min(1).nullable().describe("null: none"),
  }),
]);
export type ToEgress = z.infer<typeof toEgressSchema>;

export const fromEgressSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), authority: certificateAuthority }),
  z.object({
    type: z.literal("violation"),
    token: z.string(),
    rule_id: z.string(),
    rule_path: z.string(),
    action: violationActionSchema,
    event: violationEventSchema,
    hint: z.string().nullable().default(null).describe("what would allow it, in words"),
    at_us: z.number().nullable().default(null).describe("by the machine's monotonic clock"),
  }),
  z.object({
    type: z.literal("exceeded").describe("once for each `limit`: all that the sandbox had open was cut, and nothing more gets out until the next `limit`"),
    token: z.string(),
    id: z.int(),
    bytes_out: z.number().describe("since that `limit`"),
  }),
  z.object({
    type: z.literal("synced").describe("all violations of before were told; `dropped` of them, since the last `synced`, only by their number"),
    id: z.int(),
    dropped: z.int(),
    account: egressAccountSchema.nullable().describe("of the sandbox's whole life; null where it is not known"),
  }),
]);
export type FromEgress = z.infer<typeof fromEgressSchema>;

/** The relay's word at the head of each connection (packages/sandbox/native/relay/egress.h). */
export const EGRESS_HEADER = 84;
export const EGRESS_TOKEN = 64;
/** Names stand in a sandbox for addresses of these ranges, which lead nowhere else. */
export const STAND_IN_NAMESERVER = "198.18.0.1";
