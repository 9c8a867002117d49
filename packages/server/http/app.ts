import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  LogController,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify";
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from "fastify-type-provider-zod";
import { BODY_LIMIT, readBodies } from "./body.ts";
import { answerWithProblems, clientError, sendProblem } from "./problem.ts";

/** A fastify instance whose routes are typed by their zod schemas. */
export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, ZodTypeProvider>;

/** An HTTP listener without routes: limits, body reading, validation and errors. Each listener (7300, Dify's port) is one. */
export function newApp(logger: FastifyBaseLogger, bootId: string): App {
  let requests = 0;
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }), // two lines a run would cost more than the run's own bookkeeping
    bodyLimit: BODY_LIMIT,
    genReqId: () => `req_${bootId}_${(++requests).toString(36)}`,
    requestIdHeader: false, // ids from outside would let a caller write into the log
    // A client may take this long to send its request; a run's answer may take longer (wall_ms is up to 10 min).
    requestTimeout: 60_000,
    keepAliveTimeout: 75_000, // longer than the usual proxy's and Dify's pool, so that the client closes first
    forceCloseConnections: "idle",
    frameworkErrors: (error, request, reply) => void sendProblem(error, request as never, reply as never), // a URL that no router reads
    clientErrorHandler: clientError,
    routerOptions: { maxParamLength: 200 },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.decorateRequest("principal");
  app.decorateRequest("receivedAt", 0);
  app.decorateRequest("authUs", 0);
  readBodies(app as unknown as FastifyInstance);
  answerWithProblems(app as unknown as FastifyInstance);
  return app;
}
