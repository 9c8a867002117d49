/** What a file says of an artifact's interface, put upon its harnesses: MCP's tools/list gives tools their schemas, OpenAPI gives a handler its requests. */
import type { Harness, InputSchema, Prepared, PreparedFile } from "./harness.ts";

type Loose = Record<string, unknown>;
const MOST_OPERATIONS = 64;
const HANDLER = /:(default|default\.fetch|fetch|handler|handle|handleRequest|onRequest|GET|POST)$/;

export function describe(prepared: Prepared, files: readonly PreparedFile[]): Prepared {
  const documents = files.map(({ text }) => parsed(text));
  const tools = documents.flatMap((one) => listOf(one.tools).map(record)).filter(({ name }) => typeof name === "string");
  const operations = documents
    .filter((one) => record(one.paths) && (one.openapi || one.swagger))
    .flatMap(operationsOf)
    .slice(0, MOST_OPERATIONS);
  const schemas = new Map(tools.map(({ name, inputSchema }) => [name as string, record(inputSchema)]));
  const handler =
    operations.length > 0 ? prepared.harnesses.find(({ id, kind, params }) => kind === "function" && HANDLER.test(id) && params.length <= 3) : undefined;
  const harnesses = prepared.harnesses.map((one) => {
    const schema = one.kind === "tool" ? schemas.get(one.name) : undefined;
    return schema ? { ...one, params: [schema] } : one;
  });
  if (!handler) return { ...prepared, harnesses };
  const request: Harness = { ...handler, id: `${handler.id} requests`, kind: "request", params: [{ anyOf: operations }], types: "declared" };
  return { ...prepared, harnesses: [request, ...harnesses.filter(({ id }) => id !== handler.id)] };
}

/** One operation as the schema of `{method, path, query, body}`. References within the document are followed a few steps. */
function operationsOf(document: Loose): InputSchema[] {
  return Object.entries(record(document.paths)).flatMap(([template, item]) =>
    Object.entries(record(item)).flatMap(([method, given]) => {
      if (!/^(get|post|put|patch|delete)$/.test(method)) return [];
      const operation = record(given);
      const parameters = [...listOf(record(item).parameters), ...listOf(operation.parameters)].map((one) => resolved(one, document, 0));
      const schemaOf = (one: Loose) => resolved(one.schema ?? { type: one.type ?? "string" }, document, 0);
      const place = (where: string) =>
        Object.fromEntries(parameters.filter((one) => one.in === where && typeof one.name === "string").map((one) => [one.name as string, schemaOf(one)]));
      const required = (where: string) => parameters.filter((one) => one.in === where && one.required === true).map(({ name }) => name);
      const content = record(record(resolved(operation.requestBody, document, 0)).content);
      const body = record(content["application/json"]).schema;
      const path = {
        type: "object",
        required: ["template", "values"],
        properties: {
          template: { const: template },
          values: { type: "object", properties: place("path"), required: Object.keys(place("path")), additionalProperties: false },
        },
      };
      const query = { type: "object", properties: place("query"), required: required("query"), additionalProperties: false };
      const own = {
        method: { const: method.toUpperCase() },
        path: { ...path, additionalProperties: false },
        query,
        ...(body ? { body: resolved(body, document, 0) } : {}),
      };
      return [{ type: "object", required: Object.keys(own), properties: own, additionalProperties: false }];
    }),
  );
}

/** Nested references too, to a depth: schemas may name themselves. */
function resolved(given: unknown, document: Loose, depth: number): Loose {
  let one = record(given);
  for (let steps = 0; typeof one.$ref === "string" && steps < 5; steps++) {
    const path = one.$ref.startsWith("#/") ? one.$ref.slice(2).split("/") : [];
    one = record(path.reduce<unknown>((held, key) => (Object.hasOwn(record(held), key) ? record(held)[key] : undefined), path.length > 0 ? document : {}));
  }
  if (depth > 6) return {};
  const inner = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(inner) : value !== null && typeof value === "object" ? resolved(value, document, depth + 1) : value;
  return Object.fromEntries(Object.entries(one).map(([key, value]) => [key, inner(value)]));
}

function parsed(text: string): Loose {
  try {
    return record(JSON.parse(text));
  } catch {
    return {};
  }
}

function record(value: unknown): Loose {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Loose) : {};
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
