/** The parts of an OpenAPI 3.1 document that the page shows. */
interface Document {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}
interface Operation {
  tags?: string[];
  summary?: string;
  description?: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema; description?: string }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>;
}
interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  minimum?: number;
  maximum?: number;
  maxLength?: number;
}

/** An OpenAPI document as one static page: no script, nothing loaded from elsewhere, so it reads the same without a network. */
export function renderDocs(document: Document): string {
  const groups = (document.tags ?? []).map((tag) => ({ ...tag, operations: operationsOf(document, tag.name) })).filter((group) => group.operations.length > 0);
  const nav = groups.map((group) => `<li><a href="#${group.name}">${html(group.name)}</a></li>`).join("");
  const sections = groups.map((group) => section(group.name, group.description ?? "", group.operations)).join("");
  const { title, version, description = "" } = document.info;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${html(title)} API</title><style>${STYLE}</style></head>
<body><nav><b>${html(title)}</b> <small>${html(version)}</small><ul>${nav}<li><a href="#schemas">schemas</a></li><li><a href="/v1/openapi.json">openapi.json</a></li></ul></nav>
<main><h1>${html(title)} API</h1><p>${prose(description)}</p>${EXAMPLE}${sections}${schemas(document)}</main></body></html>`;
}

interface Listed extends Operation {
  method: string;
  path: string;
}

function operationsOf(document: Document, tag: string): Listed[] {
  const all = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method, path })),
  );
  return all.filter((operation) => operation.tags?.includes(tag));
}

function section(name: string, description: string, operations: Listed[]): string {
  return `<section id="${name}"><h2>${html(name)}</h2><p>${prose(description)}</p>${operations.map(operation).join("")}</section>`;
}

function operation(listed: Listed): string {
  const body = Object.values(listed.requestBody?.content ?? {})[0]?.schema;
  const parameters = (listed.parameters ?? []).map((parameter) =>
    row(`${parameter.name}`, parameter.in, parameter.schema ?? {}, parameter.required === true, parameter.description),
  );
  const answers = Object.entries(listed.responses ?? {}).map(([status, response]) => {
    const schema = Object.values(response.content ?? {})[0]?.schema;
    const fields = schema?.properties ? properties(schema) : "";
    return `<tr><td><code>${html(status)}</code></td><td>${schema ? fields || typeOf(schema) : "no body"}</td></tr>`;
  });
  return `<details><summary><span class="m ${listed.method}">${listed.method.toUpperCase()}</span> <code>${html(listed.path)}</code> ${html(listed.summary ?? "")}</summary>
${listed.description ? `<p>${prose(listed.description)}</p>` : ""}
${parameters.length > 0 ? `<h4>Parameters</h4><table>${parameters.join("")}</table>` : ""}
${body ? `<h4>Body</h4>${properties(body)}` : ""}<h4>Answers</h4><table>${answers.join("")}</table></details>`;
}

function properties(schema: Schema): string {
  if (!schema.properties) return `<p>${typeOf(schema)}</p>`;
  const rows = Object.entries(schema.properties).map(([name, property]) => row(name, "", property, schema.required?.includes(name) === true));
  return `<table>${rows.join("")}</table>`;
}

function row(name: string, place: string, schema: Schema, required: boolean, description: string | undefined = schema.description): string {
  const notes = [
    required ? "<b>required</b>" : "",
    schema.default === undefined || schema.properties
      ? ""
      : `default <code>${html(JSON.stringify(schema.default))}</code>${typeof schema.default === "number" && schema.default >= 2 ** 20 ? ` (${number(schema.default)})` : ""}`,
    schema.minimum === undefined || schema.minimum < -1e15 ? "" : `≥ ${number(schema.minimum)}`,
    schema.maximum === undefined || schema.maximum > 1e15 ? "" : `≤ ${number(schema.maximum)}`,
    schema.maxLength === undefined ? "" : `at most ${number(schema.maxLength)} characters`,
    prose(description ?? ""),
  ].filter((note) => note !== "");
  const inner = schema.properties ? properties(schema) : schema.items?.properties ? properties(schema.items) : "";
  return `<tr><td><code>${html(name)}</code>${place ? `<br><small>${html(place)}</small>` : ""}</td><td>${typeOf(schema)}</td><td>${notes.join(" · ")}${inner}</td></tr>`;
}

function typeOf(schema: Schema): string {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1) ?? "";
    return `<a href="#schema-${html(name)}">${html(name)}</a>`;
  }
  if (schema.const !== undefined) return `<code>${html(JSON.stringify(schema.const))}</code>`;
  if (schema.enum) return schema.enum.map((value) => `<code>${html(String(value))}</code>`).join(" ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map(typeOf).join(" or ");
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  return html(Array.isArray(schema.type) ? schema.type.join(" or ") : (schema.type ?? "any"));
}

function schemas(document: Document): string {
  const shown = Object.entries(document.components?.schemas ?? {}).filter(([name]) => !name.endsWith("Input"));
  return `<section id="schemas"><h2>schemas</h2>${shown.map(([name, schema]) => `<h3 id="schema-${html(name)}">${html(name)}</h3><p>${prose(schema.description ?? "")}</p>${properties(schema)}`).join("")}</section>`;
}

/** Large powers of two are sizes in bytes and characters; nobody reads them in digits. */
function number(value: number): string {
  for (const [unit, size] of [
    ["Gi", 2 ** 30],
    ["Mi", 2 ** 20],
  ] as const) {
    if (value >= size && value % size === 0) return `${value / size} ${unit}`;
  }
  return String(value);
}

function prose(text: string): string {
  return html(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}

function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const EXAMPLE = `<pre>curl -s http://127.0.0.1:7300/v1/runs -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" \\
  -d '{"language":"python3","code":"print(6*7)"}'</pre>`;

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8881}body{margin:0;font:15px/1.5 system-ui,sans-serif;display:flex}
nav{position:sticky;top:0;height:100vh;box-sizing:border-box;padding:1.2rem;width:12rem;border-right:1px solid var(--line);flex:none}nav ul{list-style:none;padding:0}nav a{color:inherit;text-decoration:none;line-height:2}
main{padding:1rem 2rem 6rem;max-width:62rem;min-width:0;flex:1}h2{margin-top:2.5rem;border-bottom:1px solid var(--line)}h4{margin:.8rem 0 .2rem}
code,pre{font:13px/1.5 ui-monospace,monospace}code{background:var(--soft);border-radius:3px;padding:.1em .3em;overflow-wrap:anywhere}pre{background:var(--soft);padding:.8rem;border-radius:6px;overflow:auto}
details{border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.5rem .8rem}summary{cursor:pointer}table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.35rem .6rem;vertical-align:top}td:last-child{width:100%}td:first-child{white-space:nowrap}td td{padding:.2rem .6rem}td:nth-child(2):not(:last-child){min-width:9.5rem}summary .m{margin-right:.4em}.delete{letter-spacing:-.04em}
.m{display:inline-block;width:4.2em;text-align:center;border-radius:3px;color:#fff;font:bold 11px/1.8 ui-monospace,monospace}.get{background:#2b7a4b}.post{background:#2d5fa8}.put{background:#8a6116}.delete{background:#a83232}
@media(max-width:700px){body{display:block}main{padding:0 1rem 4rem}nav{position:static;height:auto;width:auto;border:0;padding:1rem}nav ul{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.5rem 0}td,td:last-child{display:block;width:auto;padding:.2rem .3rem}td+td{border:0}}`;
