import { z } from "zod";
import type { FoundState } from "./state.ts";

/**
 * Whom to ask about one kind of secret, as data. `{secret}` in a header is the secret as it is, in the URL it is encoded; `{basic:USER}` is base64 of
 * `USER:secret`; `{part}` is what the group of `part` finds in the secret, for providers whose host depends on it.
 */
export const verifierSchema = z.strictObject({
  id: z.string(),
  provider: z.string(),
  method: z.enum(["GET", "POST"]),
  url: z.string().regex(/^https:\/\/(?:\{part\}\.)?[a-z0-9.-]+\//),
  headers: z.record(z.string().regex(/^[a-z-]+$/), z.string()),
  body: z.string().optional(),
  part: z.string().optional(),
  live: z.array(z.int()),
  dead: z.array(z.int()),
  live_body: z.string().optional(),
  dead_body: z.string().optional(),
  note: z.string().optional(),
});
export type VerifierSpec = z.infer<typeof verifierSchema>;

const documentSchema = z.looseObject({ verifiers: z.array(verifierSchema).default([]) });

/** Of our own rules alone: a pack of somebody else must not say where secrets are sent. @throws for a file that is not as it should be. */
export function verifiersOf(documents: readonly unknown[]): ReadonlyMap<string, VerifierSpec> {
  return new Map(documents.flatMap((document) => documentSchema.parse(document).verifiers).map((spec) => [spec.id, spec]));
}

/** One request, ready to be sent. It holds the secret. */
export interface VerifyRequest {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Null for what could not be sent without meaning something else: the secret is the artifact's, so it may be made to break out of its place. */
export function requestFor(spec: VerifierSpec, secret: string): VerifyRequest | null {
  if (!/^[\x21-\x7e]{8,4096}$/.test(secret)) return null;
  const part = spec.part === undefined ? "" : (new RegExp(spec.part).exec(secret)?.[1] ?? null);
  if (part === null || (part !== "" && !/^[a-z0-9-]{1,20}$/.test(part))) return null;
  if (spec.url.includes("{secret}") && !/^[\w.:-]+$/.test(secret)) return null;
  const url = new URL(spec.url.replace("{part}", part).replace("{secret}", spec.url.includes("?") ? encodeURIComponent(secret) : secret));
  if (url.hostname !== hostOf(spec, part)) return null;
  const headers = Object.fromEntries(Object.entries(spec.headers).map(([name, value]) => [name, filled(value, secret)]));
  return { method: spec.method, url, headers: { "user-agent": "plastron", ...headers }, body: spec.body ?? null };
}

/** The only host to which a secret of this kind may go. */
export const hostOf = (spec: VerifierSpec, part = ""): string => spec.url.replace("{part}", part).split("/")[2]!;

const filled = (value: string, secret: string): string =>
  value.replace(/\{basic:(\w+)\}/, (_, user: string) => Buffer.from(`${user}:${secret}`).toString("base64")).replace("{secret}", () => secret);

/** What the answer means. Whatever is not said to mean something means nothing. */
export function stateOf(spec: VerifierSpec, status: number, body: string): FoundState {
  if (spec.live.includes(status) && !(spec.dead_body !== undefined && body.includes(spec.dead_body))) {
    return spec.live_body === undefined || body.includes(spec.live_body) ? "live" : "unverified";
  }
  const said = spec.dead_body === undefined || body.includes(spec.dead_body);
  return said && (spec.dead.includes(status) || (spec.dead_body !== undefined && spec.live.includes(status))) ? "dead" : "unverified";
}
