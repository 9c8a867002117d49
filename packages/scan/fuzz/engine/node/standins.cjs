"use strict";
/**
 * What a target imports and the artifact does not have: databases whose statements are read, MCP servers whose tools are remembered, zod's builders as
 * JSON Schema, and for all else something that can be called and asked for anything. Whatever a run did with the last kind says nothing of the target.
 */
const { registerHooks } = require("node:module");
const { pathToFileURL } = require("node:url");

const DATABASES = /^(mysql2?(\/promise)?|pg|sqlite3?|better-sqlite3|postgres|mssql|mariadb|oracledb)$/;
const MCP = /^@modelcontextprotocol\/sdk(\/|$)/;

function standIns({ sql, wanted, directory, writeFile }) {
  const state = { touched: false, tools: new Map(), handlers: new Map() };
  const used = () => {
    state.touched = true;
    return anything();
  };
  const anything = () => {
    const kept = new Map();
    return new Proxy(function standIn() {}, {
      get(_target, key) {
        state.touched = true;
        if (key === "then" || key === "prototype") return undefined;
        if (key === Symbol.toPrimitive) return () => "";
        if (key === Symbol.iterator) return () => [][Symbol.iterator]();
        if (!kept.has(key)) kept.set(key, anything());
        return kept.get(key);
      },
      apply: used,
      construct: used,
      getPrototypeOf: () => Function.prototype,
    });
  };
  const make = (name) => (DATABASES.test(name) ? database(sql) : MCP.test(name) ? mcp(state) : /^zod(\/|$)/.test(name) ? zod() : anything());
  const made = new Map();
  Object.defineProperty(globalThis, "__pfstand", {
    value: (name) => {
      if (!made.has(name)) made.set(name, make(name));
      return made.get(name);
    },
  });
  let count = 0;
  const files = new Map();
  const fileOf = (name, kind) => {
    const key = `${kind} ${name}`;
    if (files.has(key)) return files.get(key);
    const whole = `globalThis.__pfstand(${JSON.stringify(name)})`;
    const names = (wanted[name] ?? []).filter((one) => /^[A-Za-z_$][\w$]*$/.test(one) && one !== "default");
    const text =
      kind === "cjs"
        ? `module.exports=${whole};`
        : `const m=${whole};export default m.default_??m;${names.map((one) => `const x_${one}=m.${one};export{x_${one} as ${one}};`).join("")}`;
    const path = `${directory}/${count++}.${kind}`;
    writeFile(path, text);
    files.set(key, pathToFileURL(path).href);
    return files.get(key);
  };
  const absent = new Set();
  registerHooks({
    resolve(specifier, context, next) {
      const isBare = !/^(\.|\/|node:|file:|data:|#)/.test(specifier);
      const standIn = () => {
        absent.add(specifier);
        return { url: fileOf(specifier, context.conditions?.includes("import") ? "mjs" : "cjs"), shortCircuit: true };
      };
      if (isBare && MCP.test(specifier)) return standIn();
      try {
        return next(specifier, context);
      } catch (error) {
        if (isBare) return standIn();
        throw error;
      }
    },
  });
  return { state, absent };
}

function database(sql) {
  const statement = (text, ...rest) => {
    const own = typeof text === "object" && text !== null ? (text.text ?? text.sql) : text;
    sql(Array.isArray(own) ? "" : own);
    const back = rest.findLast((one) => typeof one === "function");
    if (back) process.nextTick(back, null, []);
    return Object.assign(Promise.resolve({ rows: [], rowCount: 0 }), prepared);
  };
  const prepared = { all: () => [], get: () => undefined, run: () => ({ changes: 0 }), iterate: () => [][Symbol.iterator](), on: () => prepared };
  class Client {
    connect() {
      return Promise.resolve(this);
    }
    getConnection() {
      return Promise.resolve(this);
    }
  }
  for (const name of ["query", "execute", "all", "get", "run", "each", "exec", "prepare", "unsafe", "raw"]) Client.prototype[name] = statement;
  for (const name of ["end", "close", "release", "on", "serialize"]) Client.prototype[name] = (back) => void (typeof back === "function" && back());
  const open = () => new Client();
  const made = function Database() {
    return new Client();
  };
  Object.assign(made, {
    Client,
    Pool: Client,
    Database: Client,
    createConnection: open,
    createPool: open,
    open: async () => new Client(),
    verbose: () => made,
    default_: undefined,
  });
  return made;
}

function mcp(state) {
  class McpServer {
    tool(name, ...rest) {
      const [schema] = rest.filter((one) => one !== null && typeof one === "object");
      state.tools.set(String(name), { call: rest.at(-1), schema: schemaOf(schema) });
    }
    registerTool(name, about, call) {
      state.tools.set(String(name), { call, schema: schemaOf(about?.inputSchema) });
    }
    get server() {
      return new Server();
    }
  }
  class Server {
    setRequestHandler(schema, call) {
      state.handlers.set(String(schema?.name ?? schema), call);
    }
  }
  for (const one of [McpServer, Server])
    for (const name of [
      "connect",
      "close",
      "resource",
      "prompt",
      "registerResource",
      "registerPrompt",
      "onerror",
      "setNotificationHandler",
      "sendLoggingMessage",
      "notification",
    ])
      one.prototype[name] = async () => {};
  const known = {
    McpServer,
    Server,
    StdioServerTransport: class {},
    SSEServerTransport: class {},
    StreamableHTTPServerTransport: class {},
    McpError: class McpError extends Error {},
  };
  return new Proxy(known, {
    get: (own, key) =>
      own[key] ?? (/Schema$/.test(String(key)) ? { name: String(key) } : key === "default_" ? undefined : new Proxy({}, { get: (_o, one) => String(one) })),
  });
}

/** A zod type, a shape of them, or a JSON Schema, as JSON Schema. */
function schemaOf(given) {
  if (given === null || typeof given !== "object") return { type: "object" };
  if (given.$schema_) return given.$schema_;
  if (typeof given.type === "string") return given;
  const properties = {};
  const required = [];
  for (const [key, inner] of Object.entries(given)) {
    const schema = inner?.$schema_ ?? {};
    properties[key] = schema;
    if (!inner?.$optional_) required.push(key);
  }
  return { type: "object", properties, required, additionalProperties: false };
}

function zod() {
  const node = (schema, optional = false) =>
    new Proxy(
      { $schema_: schema, $optional_: optional },
      {
        get(own, key) {
          if (key in own) return own[key];
          if (key === "optional" || key === "nullish") return () => node(schema, true);
          if (key === "default") return (value) => node({ ...schema, default: value }, true);
          if (key === "min")
            return (n) =>
              node(schema.type === "string" ? { ...schema, minLength: n } : schema.type === "array" ? { ...schema, minItems: n } : { ...schema, minimum: n });
          if (key === "max")
            return (n) =>
              node(schema.type === "string" ? { ...schema, maxLength: n } : schema.type === "array" ? { ...schema, maxItems: n } : { ...schema, maximum: n });
          if (key === "int") return () => node({ ...schema, type: "integer" });
          if (key === "shape") return {};
          if (key === "parse") return (value) => value;
          if (key === "safeParse") return (data) => ({ success: true, data });
          if (key === Symbol.toPrimitive || key === "then") return undefined;
          return () => node(schema, optional);
        },
      },
    );
  const z = {
    ...{
      string: () => node({ type: "string" }),
      number: () => node({ type: "number" }),
      boolean: () => node({ type: "boolean" }),
      any: () => node({}),
      unknown: () => node({}),
      null: () => node({ type: "null" }),
    },
    ...{
      array: (inner) => node({ type: "array", items: inner?.$schema_ ?? {} }),
      object: (shape) => node(schemaOf(shape ?? {})),
      enum: (values) => node({ enum: Object.values(values) }),
      literal: (value) => node({ const: value }),
    },
    ...{
      record: () => node({ type: "object" }),
      union: (of) => node({ anyOf: of.map((one) => one.$schema_ ?? {}) }),
      optional: (inner) => node(inner.$schema_ ?? {}, true),
    },
  };
  const whole = new Proxy(z, { get: (own, key) => own[key] ?? (key === "z" ? whole : key === "default_" ? undefined : () => node({})) });
  return whole;
}

module.exports = { standIns };
