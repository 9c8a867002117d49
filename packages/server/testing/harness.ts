import { type Denial, NO_RULES, PlastronError } from "@plastron/contracts";
import type { Explanation, NetworkSeed } from "@plastron/policy";
import { pino } from "pino";
import { compose, type Parts, type Server } from "../compose.ts";
import { readConfig } from "../config.ts";
import type { Connection } from "../database/pool.ts";
import type { Scope } from "../modules/auth/principal.ts";
import type { Compiler } from "../modules/policies/compiled.ts";

/** Stands for the policy package: a text that starts with `ok` compiles to a confinement named by its length. */
export const FAKE_COMPILER: Compiler = {
  compile(text) {
    if (!text.startsWith("ok"))
      throw new PlastronError("invalid_policy", "line 1: not a policy", { errors: [{ path: "spec", message: "missing", line: 1, column: 1 }] });
    return {
      confinement: confinement("named", text.length),
      identity: { name: "named", kind: "VarmorPolicy", namespace: "demo" },
      explain: FAKE_EXPLAIN,
      seed: seed("named", text.length),
      fidelity: [{ rule: "r", category: "spec.policy", fidelity: "exact", mechanism: "seccomp", note: "", self_tests: [] }],
    };
  },
  compileDefault: () => ({
    confinement: confinement("default", 0),
    identity: { name: "default", kind: "VarmorClusterPolicy", namespace: "" },
    explain: FAKE_EXPLAIN,
    seed: seed("default", 0),
  }),
  explainFloor: () => () => null,
};

/** Every splice is denied by the rule of its path, and nothing else by any. A path that begins so asks for a record too. */
function FAKE_EXPLAIN(denial: Denial): Explanation | null {
  if (denial.call !== "splice") return null;
  const rule_id = denial.path ?? "dirty-pipe-mitigation";
  const event = { operation: "Syscall" as const, syscall: denial.call, arguments: denial.arguments };
  return {
    rule_id,
    rule_path: `spec.${rule_id}`,
    enforcer: "Seccomp",
    event,
    hint: `remove ${rule_id}`,
    by: "policy",
    recorded: rule_id.startsWith("recorded"),
    isProbe: false,
  };
}

function seed(policy: string, number: number): NetworkSeed {
  return { confinement: confinement(policy, number), orders: [], closed: null };
}

function confinement(policy: string, number: number) {
  const id = number.toString(16).padStart(64, "0");
  return { ...NO_RULES, id, policy, seccomp: "AAAA" };
}

export interface TestServer extends Server {
  url: string;
  /** A call of the API with JSON in and out. `key` is sent as the bearer. */
  call(
    method: string,
    path: string,
    options?: { key?: string; body?: unknown; headers?: Record<string, string> },
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of many shapes
  ): Promise<{ status: number; headers: Headers; body: any }>;
  key(scopes?: Scope[], tenant?: string): Promise<string>;
}

/** A composed server that listens on any port of the loopback. */
export async function startTestServer(
  connection: Connection,
  agentSocket: string,
  environment: Record<string, string> = {},
  more: Partial<Parts> = {},
): Promise<TestServer> {
  const server = await compose({
    ...{ config: readConfig(environment).config, connection, agentSocket, compiler: FAKE_COMPILER, version: "0.0.0", serverId: "test-server" },
    logger: pino({ level: process.env.PLASTRON_TEST_LOG ?? "silent" }),
    ...more,
  });
  const url = await server.app.listen({ host: "127.0.0.1", port: 0 });
  return {
    ...server,
    url,
    async call(method, path, { key, body, headers = {} } = {}) {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: { ...(key ? { authorization: `Bearer ${key}` } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = /json/.test(response.headers.get("content-type") ?? "");
      return { status: response.status, headers: response.headers, body: json && text !== "" ? JSON.parse(text) : text };
    },
    key: async (scopes = ["admin"], tenant = "default") => (await server.auth.create(tenant, "test", scopes)).key,
  };
}

/** The events of a `text/event-stream`, comments left out. */
export function parseEvents(text: string) {
  return text
    .split("\n\n")
    .filter((block) => block.startsWith("id:"))
    .map((block) => {
      const [id, event, data] = block.split("\n").map((line) => line.slice(line.indexOf(":") + 2));
      return { id: Number(id), event, data: JSON.parse(data as string) };
    });
}
