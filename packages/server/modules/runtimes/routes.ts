import { imagePackageSchema, PlastronError, toProblem } from "@plastron/contracts";
import type { FastifyReply } from "fastify";
import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems, toKnown } from "../../http/problem.ts";
import { authenticateWith } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import { clientGone, EventStream } from "../runs/event-stream.ts";
import { runtimeNameSchema } from "./name.ts";
import { createSchema, packageRequest, updateSchema } from "./request.ts";
import type { Building, RuntimeService } from "./service.ts";
import type { VersionRow } from "./view.ts";

const headSchema = z.object({
  name: z.string(),
  version: z.number().int(),
  language: z.enum(["python3", "nodejs"]),
  current: z.boolean().describe("whether NAME alone means this version"),
  lock_sha256: z.string(),
  packages_total: z.number().int(),
  files: z.number().int(),
  bytes: z.number(),
  built_at: z.iso.datetime().describe("when the packages were installed: equal locks share what was"),
  created_at: z.iso.datetime(),
  created_by: z.string().describe("id of the key"),
});
const runtimeSchema = headSchema
  .extend({ packages: z.array(imagePackageSchema), lock: z.string().describe("exactly what was installed") })
  .meta({ id: "Runtime", description: "One version of an interpreter with packages" });
const detailSchema = runtimeSchema.extend({ versions: z.array(headSchema).describe("newest first") });
const nameParams = z.object({ name: runtimeNameSchema });

/** `/v1/runtimes`: anyone of the tenant reads, admins make them. */
export function runtimeRoutes(app: App, deps: { auth: AuthService; runtimes: RuntimeService }): void {
  const mayRead = authenticateWith(deps.auth, "read");
  const mayWrite = authenticateWith(deps.auth, "admin");
  const tags = ["runtimes"];
  const { runtimes } = deps;

  app.post(
    "/v1/runtimes",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Make a runtime with packages",
        description:
          "Installs in a sandbox that reaches the machine's package registry alone, and answers when it is done. With `stream: true` what the installer prints comes as `progress` events before. It ends when the client leaves.",
        body: createSchema,
        response: { 201: runtimeSchema, ...problems },
      },
    },
    async (request, reply) => {
      const { name, from } = request.body;
      const packages = packageRequest(from, request.body);
      if (packages === null) throw new PlastronError("invalid_request", "No package is named", { hint: "Send packages, requirements or package_json." });
      return answer(reply, request.body, async (building) => ({ row: await runtimes.create(request.principal, name, packages, building), created: true }));
    },
  );

  app.post(
    "/v1/runtimes/:name/versions",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Make the next version of a runtime",
        description:
          "Of other packages, or without any of those that the current version was asked for, as the registry has them now. It becomes the current one; what runs, and open sessions, keep theirs. 200 where nothing is different.",
        params: nameParams,
        body: updateSchema,
        response: { 200: runtimeSchema, 201: runtimeSchema, ...problems },
      },
    },
    async (request, reply) =>
      answer(reply, request.body, (building) =>
        runtimes.update(request.principal, request.params.name, (from) => packageRequest(from, request.body), building),
      ),
  );

  app.post(
    "/v1/runtimes/:name/rollback",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Make another version the current one",
        params: nameParams,
        body: z.object({ version: z.number().int().min(1) }).strict(),
        response: { 200: runtimeSchema, ...problems },
      },
    },
    async (request) => shown(await runtimes.rollback(request.principal, request.params.name, request.body.version)),
  );

  app.get(
    "/v1/runtimes",
    { onRequest: mayRead, schema: { tags, summary: "List runtimes", response: { 200: z.object({ data: z.array(headSchema) }), ...problems } } },
    async (request) => ({ data: (await runtimes.list(request.principal.tenant)).map(head) }),
  );

  app.get(
    "/v1/runtimes/:name",
    {
      onRequest: mayRead,
      schema: {
        tags,
        summary: "One runtime: its packages, its lock, its versions",
        params: nameParams,
        querystring: z.object({ version: z.coerce.number().int().min(1).optional() }).strict(),
        response: { 200: detailSchema, ...problems },
      },
    },
    async (request) => {
      const { tenant } = request.principal;
      const { name } = request.params;
      const row = await runtimes.get(tenant, name, request.query.version);
      return { ...shown(row), versions: (await runtimes.versions(tenant, name)).map(head) };
    },
  );

  app.delete(
    "/v1/runtimes/:name",
    { onRequest: mayWrite, schema: { tags, summary: "Delete a runtime with all its versions", params: nameParams, response: { 204: z.null(), ...problems } } },
    async (request, reply) => {
      await runtimes.remove(request.principal, request.params.name);
      return reply.code(204).send(null);
    },
  );

  app.post(
    "/v1/runtimes/prune",
    {
      onRequest: mayWrite,
      schema: {
        tags,
        summary: "Forget versions that are not current, and remove images that nobody uses",
        response: { 200: z.object({ versions: z.number().int(), images: z.number().int() }), ...problems },
      },
    },
    async (request) => runtimes.prune(request.principal),
  );
}

/** The whole answer, or with `stream` events as they come. */
async function answer(
  reply: FastifyReply,
  { stream: streams, timeout_ms }: { stream: boolean; timeout_ms: number },
  build: (building: Building) => Promise<{ row: VersionRow; created: boolean }>,
): Promise<FastifyReply> {
  const signal = clientGone(reply);
  if (!streams) {
    const { row, created } = await build({ timeoutMs: timeout_ms, signal, progress() {} });
    return reply.code(created ? 201 : 200).send(shown(row));
  }
  const stream = new EventStream(reply);
  const decoder = new TextDecoder();
  const progress = (chunk: Uint8Array) => stream.send("progress", { text: decoder.decode(chunk, { stream: true }) });
  try {
    const { row } = await build({ timeoutMs: timeout_ms, signal, progress });
    stream.send("result", shown(row));
  } catch (error) {
    if (!stream.isOpen) throw error;
    stream.send("error", toProblem(toKnown(error)));
  } finally {
    stream.end();
  }
  return reply;
}

function shown(row: VersionRow): z.infer<typeof runtimeSchema> {
  return { ...head(row), packages: row.packages, lock: row.lock };
}

function head(row: VersionRow): z.infer<typeof headSchema> {
  const { name, version, language, current, lock_sha256, files, bytes, created_by } = row;
  const times = { built_at: row.built_at.toISOString(), created_at: row.created_at.toISOString() };
  return { name, version, language, current, lock_sha256, packages_total: row.packages.length, files, bytes, ...times, created_by };
}
