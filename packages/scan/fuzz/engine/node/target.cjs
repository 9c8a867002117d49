"use strict";
/** From a harness to something that can be called with the arguments of an input. */
const { pathToFileURL } = require("node:url");

/** Resolves to `{call, schemas}`; throws where the module does not load or has no such export. */
async function openTarget(harness, root, standIns) {
  const space = await import(pathToFileURL(`${root}/${harness.module}`).href);
  const whole = space.default;
  switch (harness.kind) {
    case "function":
      return { call: callOf(space, whole, harness.export), schemas: harness.params };
    case "tool":
      return toolOf(await settled(standIns), harness);
    case "request":
      return { call: requestOf(space, whole, harness.export), schemas: harness.params };
    default:
      throw new Error(`there is no kind ${harness.kind}`);
  }
}

/** A server that starts in a `main()` has its tools a moment later. */
async function settled({ state }) {
  for (let i = 0; i < 20 && state.tools.size + state.handlers.size === 0; i++) await new Promise((done) => setTimeout(done, 10));
  return state;
}

function callOf(space, whole, name) {
  const [first, second] = name.split("#");
  const held = first in space ? space[first] : first === "default" ? whole : whole?.[first];
  if (second !== undefined) return (...args) => new held()[second](...args);
  const owner = first in space ? undefined : whole;
  if (typeof held !== "function") throw new Error(`${name} is no function`);
  return owner === undefined ? held : held.bind(owner);
}

async function toolOf(state, { name, params }) {
  const tool = state.tools.get(name);
  if (tool) {
    const schemas = params.length > 0 ? params : [tool.schema];
    return { call: (args) => tool.call(args, { signal: new AbortController().signal, sendNotification: async () => {} }), schemas };
  }
  const handler = state.handlers.get("CallToolRequestSchema");
  if (!handler) throw new Error(`no tool ${name} was registered`);
  const listed = await state.handlers.get("ListToolsRequestSchema")?.({ method: "tools/list", params: {} }, {});
  const tools = (listed?.tools ?? []).filter((one) => typeof one?.name === "string").slice(0, 64);
  const anyOf = tools.map((one) => ({
    type: "object",
    required: ["name", "arguments"],
    additionalProperties: false,
    properties: { name: { const: one.name }, arguments: one.inputSchema ?? { type: "object" } },
  }));
  const schema =
    anyOf.length > 0 ? { anyOf } : { type: "object", required: ["name", "arguments"], properties: { name: { type: "string" }, arguments: { type: "object" } } };
  return { call: (args) => handler({ method: "tools/call", params: args }, {}), schemas: params.length > 0 ? params : [schema] };
}

/** A handler in the manner of fetch: of a Request, to a Response. */
function requestOf(space, whole, name) {
  const held = name === "default.fetch" ? whole?.fetch?.bind(whole) : callOf(space, whole, name);
  if (typeof held !== "function") throw new Error(`${name} is no function`);
  return async ({ method, path, query, body }) => {
    const filled = path.template.replace(/\{([^}]*)\}/g, (_all, key) => encodeURIComponent(String(path.values?.[key] ?? "")));
    const url = new URL(filled, "http://fuzz.example");
    for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, typeof value === "string" ? value.toWellFormed() : JSON.stringify(value));
    const withBody = body !== undefined && method !== "GET" && method !== "HEAD";
    const answer = await held(
      new Request(url, { method, ...(withBody ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}) }),
      {},
      {},
    );
    return typeof answer?.text === "function" ? await answer.text() : answer;
  };
}

module.exports = { openTarget };
