import { type Denial, type HostFacts, networkRequestSchema, newId, type RunResult, runSpecSchema, type Tier, type Violation } from "@plastron/contracts";
import type { Explain } from "@plastron/policy";
import type { Run, RunBody } from "../client/client.ts";
import type { ServerEvent } from "../client/sse.ts";
import { usage } from "../failure.ts";
import type { PolicySource } from "../violations/place.ts";
import { withOwnDriver } from "./own-driver.ts";
import type { Orders } from "./stream.ts";

/** What only a server has. */
const NEEDS_SERVER = { policy: "--policy", runtime: "--runtime", secrets: "--secret" } as const;

/**
 * Orders that need no server: a sandbox driver of this command's own makes the sandbox, under the built-in policy or the one of the
 * file, and nothing is recorded. Denials are explained as a server does. Throws Failure invalid_request for what only a server has.
 */
export function ownOrders(body: RunBody, source: PolicySource | undefined): Orders {
  for (const [field, flag] of Object.entries(NEEDS_SERVER)) {
    if ((body as unknown as Record<string, unknown>)[field] !== undefined)
      throw usage(`${flag} needs a server, and --here runs without one`, "A policy can be given as --policy-file.");
  }
  const stop = new AbortController();
  return {
    client: {
      cancelRun: async () => stop.abort("cancelled"),
      getPolicy: () => Promise.reject(new Error("there is no server")),
    },
    plain: async () => {
      const text = { stdout: "", stderr: "" };
      const run = await carryOut(body, source, stop.signal, (name, more) => {
        text[name] += more;
      });
      return { ...run, ...text };
    },
    events: () => eventsOf(body, source, stop.signal),
  };
}

type Write = (name: "stdout" | "stderr", text: string) => void;

async function* eventsOf(body: RunBody, source: PolicySource | undefined, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const waiting: ServerEvent[] = [];
  let wake = Promise.withResolvers<void>();
  const push = (event: string, data: unknown): void => {
    waiting.push({ event, data: JSON.stringify(data), id: null });
    wake.resolve();
    wake = Promise.withResolvers();
  };
  push("started", { id: "here" });
  const finished = carryOut(body, source, signal, (name, text) => push(name, { text }));
  const ended = finished.then((run) => push("result", run));
  for (let last = false; !last; ) {
    const woken = wake.promise;
    for (let event = waiting.shift(); event; event = waiting.shift()) {
      yield event;
      last ||= event.event === "result";
    }
    if (!last) await Promise.race([woken, ended]);
  }
}

async function carryOut(body: RunBody, source: PolicySource | undefined, signal: AbortSignal, write: Write): Promise<Run> {
  const { language, policy_yaml: _yaml, upstream_compat: upstreamCompat = false, min_tier, trace, timeout_ms: _timeout, network, ...program } = body;
  const [{ compileDefault, compilePolicy, networkSeed, parsePolicy, explainTelemetry, withNetwork }, { hostFacts }] = await Promise.all([
    import("@plastron/policy"),
    import("@plastron/sandbox"),
  ]);
  const host: HostFacts = await hostFacts((min_tier ?? 1) as Tier);
  const compiled = source ? compilePolicy(parsePolicy(source.text, { upstreamCompat }), host) : compileDefault(host);
  const { explain } = compiled;
  const asked = networkRequestSchema.optional().parse(network);
  const { confinement } = asked === undefined ? compiled : withNetwork(networkSeed(compiled), asked, [], host);
  const created_at = new Date().toISOString();
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  const spec = runSpecSchema.parse({
    ...{ ...program, runtime: language, run_id: newId("run"), tenant: "here", confinement, sensing: trace ? "trace" : "account" },
    ...(min_tier === undefined ? {} : { min_tier }),
  });
  const chunk = (name: "stdout" | "stderr") => (bytes: Uint8Array) => write(name, decoders[name].decode(bytes, { stream: true }));
  const result = await withOwnDriver((driver) => driver.run(spec, { stdout: chunk("stdout"), stderr: chunk("stderr") }, { signal }), "seen").catch((error) => {
    if (signal.aborted) return new Promise<never>(() => {}); // Ctrl-C took the driver along, and this process next
    throw error;
  });
  const telemetry = explainTelemetry(result.telemetry, explain);
  const violations = await withSeen(result, telemetry.denials, explain);
  return {
    ...result,
    ...{ id: spec.run_id, language: spec.runtime, session_id: null, policy: { name: confinement.policy, version: null }, created_at },
    ...{ finished_at: new Date().toISOString(), problem: null, telemetry, violations },
  };
}

/** What the driver's enforcers recorded, and the denials that a rule explains. */
async function withSeen({ violations }: RunResult, denials: readonly Denial[], explain: Explain): Promise<Violation[]> {
  const { isTold, seenViolation } = await import("@plastron/policy");
  const seen = denials.flatMap((denial) => {
    const found = explain(denial);
    return found && !found.isProbe ? [seenViolation(denial, found, new Date().toISOString())] : [];
  });
  return [...violations, ...seen.filter((each) => !isTold(each, violations))];
}
