import { Readable } from "node:stream";
import { artifactKindSchema, PlastronError } from "@plastron/contracts";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { clientGone } from "../runs/event-stream.ts";
import type { ArtifactService } from "./service.ts";
import type { ArtifactRow } from "./store.ts";

export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, "64 hexadecimal digits");
const artifactSchema = z
  .object({
    digest: digestSchema.describe("sha256 over its files: names it"),
    kind: artifactKindSchema,
    name: z.string(),
    revision: z.string().nullable(),
    files: z.int(),
    bytes: z.number(),
    created_at: z.iso.datetime(),
    created_by: z.string().describe("id of the key"),
  })
  .meta({ id: "Artifact", description: "What was taken in to be scanned and run; it never changes" });

const revision = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/);
const sourceSchema = z.union([
  z.object({ git: z.string().max(2000).describe("https://HOST/PATH"), revision: revision.optional() }).strict(),
  z.object({ npm: z.string().max(300).describe("NAME or NAME@VERSION") }).strict(),
  z.object({ pypi: z.string().max(300).describe("NAME or NAME==VERSION") }).strict(),
]);
const params = z.object({ digest: digestSchema });
const uploadQuery = z
  .object({
    name: z
      .string()
      .min(1)
      .max(255)
      .regex(/^[^\p{Cc}\p{Cf}]+$/u)
      .default("upload")
      .describe("what to call it; its ending says what it is"),
  })
  .strict();
const listQuery = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50), cursor: z.string().max(200).optional() }).strict();

/** `/v1/artifacts`: whoever may run may bring what is to be run. */
export function artifactRoutes(app: App, deps: { auth: AuthService; artifacts: ArtifactService }): void {
  const mayRun = authenticateWith(deps.auth, "run");
  const mayRead = authenticateWith(deps.auth, "read");
  const { artifacts } = deps;
  const tags = ["scans"];
  // Bytes are handed on as they come: the service counts them.
  (app as unknown as FastifyInstance).addContentTypeParser("application/octet-stream", (_request, payload, done) => done(null, payload));

  app.post(
    "/v1/artifacts",
    {
      onRequest: mayRun,
      schema: {
        tags,
        summary: "Bring an artifact",
        description:
          "Bytes of a tar, tar.gz, zip, wheel or single file as application/octet-stream, or JSON that names a package of npm or PyPI, or a repository. 201 where it is new, 200 where it was there already.",
        querystring: uploadQuery,
        body: z.union([z.custom<Readable>((body) => body instanceof Readable), sourceSchema]),
        response: { 200: artifactSchema, 201: artifactSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { body, principal } = request;
      const signal = clientGone(reply);
      // Where the upload is refused midway, what is left of it must not be read as the next request.
      if (body instanceof Readable) reply.header("connection", "close");
      const { row, created } =
        body instanceof Readable ? await artifacts.upload(principal, request.query.name, body, signal) : await artifacts.fetch(principal, body, signal);
      return reply.code(created ? 201 : 200).send(shown(row));
    },
  );

  app.get(
    "/v1/artifacts",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "List artifacts, newest first",
        querystring: listQuery,
        response: { 200: z.object({ data: z.array(artifactSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const rows = await artifacts.list(request.principal.tenant, limit + 1, cursor === undefined ? undefined : readCursor(cursor));
      const data = rows.slice(0, limit).map(shown);
      const last = data.at(-1);
      return { data, next_cursor: rows.length > limit && last ? `${last.created_at}_${last.digest}` : null };
    },
  );

  app.get(
    "/v1/artifacts/:digest",
    { onRequest: mayRead, schema: { tags, summary: "One artifact", params, response: { 200: artifactSchema, ...problems } } },
    async (request) => shown(await artifacts.get(request.principal.tenant, request.params.digest)),
  );

  app.delete(
    "/v1/artifacts/:digest",
    {
      onRequest: authenticateWith(deps.auth, "admin"),
      schema: { tags, summary: "Remove an artifact with its scans", params, response: { 204: z.null(), ...problems } },
    },
    async (request, reply) => {
      await artifacts.remove(request.principal, request.params.digest);
      return reply.code(204).send(null);
    },
  );
}

function readCursor(text: string): { at: Date; digest: string } {
  const [at = "", digest = ""] = text.split("_");
  if (Number.isNaN(Date.parse(at)) || !digestSchema.safeParse(digest).success) throw new PlastronError("invalid_request", "cursor is none that this list gave");
  return { at: new Date(at), digest };
}

function shown({ kind, created_at, ...row }: ArtifactRow): z.infer<typeof artifactSchema> {
  return { ...row, kind: kind as z.infer<typeof artifactKindSchema>, created_at: created_at.toISOString() };
}
