import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { renderDocs } from "./docs-page.ts";

/** Must be registered before the routes: @fastify/swagger sees only those that come after. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Plastron",
        version,
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
        description: "Runs untrusted code in single-use sandboxes. JSON in snake_case; errors are RFC 9457 problem documents with a stable `code`.",
      },
      tags: [
        { name: "runs", description: "Programs, each run once in a sandbox of its own" },
        { name: "sessions", description: "Sandboxes that keep their interpreter's state between runs" },
        { name: "policies", description: "VarmorPolicy documents and what they compile to on this host" },
        { name: "violations", description: "What runs did against their policies" },
        { name: "forges", description: "Changes on GitHub, judged and told as checks" },
        { name: "keys", description: "API keys" },
        { name: "tenants", description: "Customers of the installation" },
        { name: "operations", description: "Health, metrics, and what the host can enforce" },
      ],
      components: { securitySchemes: { bearer: { type: "http", scheme: "bearer", description: "An API key: `Authorization: Bearer pla_…`" } } },
      security: [{ bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
}

/** `/v1/openapi.json`, and the same as a page for people. Both are made once, when everything is registered. */
export function serveApiDescription(app: FastifyInstance): void {
  let made: { json: string; page: string } | undefined;
  const make = () => {
    const document = app.swagger();
    made ??= { json: JSON.stringify(document), page: renderDocs(document as Parameters<typeof renderDocs>[0]) };
    return made;
  };
  app.addHook("onReady", async () => void make());
  const hidden = { schema: { hide: true } as object };
  app.get("/v1/openapi.json", hidden, (_request, reply) => reply.type("application/json; charset=utf-8").send(make().json));
  app.get("/docs", hidden, (_request, reply) =>
    reply
      .type("text/html; charset=utf-8")
      .headers({
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
      })
      .send(make().page),
  );
  app.get("/", hidden, (request, reply) =>
    /text\/html/.test(request.headers.accept ?? "")
      ? reply.redirect("/docs")
      : reply.type("application/json").send('{"name":"plastron","docs":"/docs","openapi":"/v1/openapi.json","health":"/v1/health"}'),
  );
}
