import { PlastronError, type Runtime } from "@plastron/contracts";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { sendProblem } from "../../http/problem.ts";
import { authenticateWith, type TokenReader } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import type { GateService } from "../gates/service.ts";
import { clientGone } from "../runs/event-stream.ts";
import type { PythonDependencies } from "./dependencies.ts";
import { failure, runData, success } from "./envelope.ts";
import { type DifyLimits, TooManyRequests } from "./limits.ts";
import { bindLanguage, bindRun, type RawBody } from "./request.ts";
import type { DifyService } from "./service.ts";

export interface DifyDependencies {
  auth: AuthService;
  dify: DifyService;
  dependencies: PythonDependencies;
  limits: DifyLimits;
  /** Dify's ENABLE_NETWORK. */
  networkFlagAccepted: boolean;
  gates: Pick<GateService, "demandOpen">;
}

const RUNTIMES: Record<string, Runtime> = { python3: "python3", nodejs: "nodejs" };
const JSON_TYPE = "application/json; charset=utf-8";
const apiKey: TokenReader = (request) => {
  const key = request.headers["x-api-key"];
  return typeof key === "string" ? key : undefined;
};

/**
 * Dify's code-execution API, so that its client works unchanged (docs/reference/api.md has the table of answers). A scope of its own:
 * its bodies are read raw and its errors are envelopes, not problem documents.
 */
export function difyRoutes(root: FastifyInstance, deps: DifyDependencies): void {
  root.get("/health", { schema: { hide: true } as object }, (_request, reply) => reply.type(JSON_TYPE).send('"ok"'));
  root.register(async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
    app.setValidatorCompiler(() => () => true);
    const options = { onRequest: authenticateWith(deps.auth, "run", apiKey), schema: { hide: true } as object };

    app.post("/v1/sandbox/run", options, (request, reply) => run(request, reply, deps));
    for (const path of ["/v1/sandbox/dependencies", "/v1/sandbox/dependencies/refresh"]) {
      app.get(path, options, async (request, reply) => {
        if ((request.query as Record<string, unknown>).language !== "python3") return envelope(reply, 400, failure(-400, "unsupported language"));
        const list = path.endsWith("refresh") ? deps.dependencies.refresh(request.principal) : deps.dependencies.list(request.principal);
        return envelope(reply, 200, success({ dependencies: await list }));
      });
    }
    app.post("/v1/sandbox/dependencies/update", options, async (request, reply) => {
      const bound = bindLanguage(raw(request));
      if (!bound.ok) return envelope(reply, bound.status, failure(-400, bound.message));
      if (bound.value.language !== "python3") return envelope(reply, 400, failure(-400, "unsupported language"));
      await deps.dependencies.update(request.principal);
      return envelope(reply, 200, success({}));
    });
  });
}

async function run(request: FastifyRequest, reply: FastifyReply, deps: DifyDependencies): Promise<FastifyReply> {
  const signal = clientGone(reply);
  return deps.limits.within(async () => {
    const bound = bindRun(raw(request));
    if (!bound.ok) return envelope(reply, bound.status, failure(-400, bound.message));
    const { language, code, enable_network } = bound.value;
    const runtime = Object.hasOwn(RUNTIMES, language) ? RUNTIMES[language] : undefined;
    if (runtime === undefined) return envelope(reply, 400, failure(-400, "unsupported language"));
    if (enable_network && !deps.networkFlagAccepted) return envelope(reply, 200, failure(-400, "network is disabled, please enable it in the configuration"));
    const { principal, receivedAt, authUs } = request;
    await deps.gates.demandOpen(principal);
    const result = await deps.dify.execute({ principal, runtime, code, enableNetwork: enable_network, receivedAt, authUs, signal });
    return envelope(reply, 200, success(runData(result)));
  });
}

function raw(request: FastifyRequest): RawBody {
  return { contentType: request.headers["content-type"] ?? "", bytes: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0) };
}

function envelope(reply: FastifyReply, status: number, body: object): FastifyReply {
  return reply.code(status).type(JSON_TYPE).send(JSON.stringify(body));
}

/** 401 has an empty body; overload is -503 with 503; what the platform failed at is -500 with 200, as upstream's runner failures are. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof TooManyRequests) return tooMany(reply, 1);
  if (error instanceof PlastronError) {
    if (error.code === "unauthorized" || error.code === "rate_limited" || error.code === "forbidden") return reply.code(401).send();
    if (error.code === "overloaded") return tooMany(reply, error.retryAfterSeconds ?? 1);
    return envelope(reply, 200, failure(-500, `${error.message}. ${error.hint}`));
  }
  const status = (error as { statusCode?: number }).statusCode;
  if (status === 413) return sendProblem(error, request, reply);
  request.log.error({ err: { message: (error as Error).message, stack: (error as Error).stack } }, "request failed");
  return envelope(reply, 200, failure(-500, "internal error; the server's log has more"));
}

function tooMany(reply: FastifyReply, seconds: number): FastifyReply {
  reply.header("retry-after", String(seconds));
  return envelope(reply, 503, failure(-503, "Too many requests"));
}
