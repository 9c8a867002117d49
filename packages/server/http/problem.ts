import type { Socket } from "node:net";
import { ERRORS, type ErrorCode, PlastronError, type Problem, toProblem } from "@plastron/contracts";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    code: z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    hint: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string(), line: z.number().optional(), column: z.number().optional() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem document. `code` is stable; `hint` says what to do next." });

/** What every route may answer beside its success, for the OpenAPI document. */
export const problems = { "4xx": problemSchema, "5xx": problemSchema } as const;

/** What fastify's own errors mean in our registry. */
const FASTIFY_CODES: Record<string, ErrorCode> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "unsupported_media_type",
  FST_ERR_CTP_BODY_TOO_LARGE: "payload_too_large",
  FST_ERR_CTP_EMPTY_JSON_BODY: "invalid_json",
  FST_ERR_MAX_PARAM_LENGTH: "not_found",
  FST_ERR_BAD_URL: "invalid_request",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "invalid_request",
};

/** Makes every failure of an instance a problem document, the ones of routing included. */
export function answerWithProblems(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => sendProblem(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(new PlastronError("not_found", `There is no ${request.method} ${request.url.split("?")[0]?.slice(0, 200)}`), request, reply),
  );
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = toKnown(error);
  const problem = toProblem(known);
  if (problem.status >= 500 && problem.code !== "overloaded")
    request.log.error({ code: problem.code, err: logged(error), route: request.routeOptions.url }, "request failed");
  if (known instanceof PlastronError && known.retryAfterSeconds !== undefined) reply.header("retry-after", String(Math.ceil(known.retryAfterSeconds)));
  if (problem.code === "unauthorized") reply.header("www-authenticate", 'Bearer realm="plastron"');
  return reply
    .code(problem.status)
    .header("content-type", "application/problem+json")
    .header("x-request-id", request.id)
    .serializer(JSON.stringify)
    .send(problem);
}

/** What is not HTTP at all has no request and no reply yet: the answer is written by hand, and the connection ends. */
export function clientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? "408 Request Timeout"
      : error.code === "HPE_HEADER_OVERFLOW"
        ? "431 Request Header Fields Too Large"
        : "400 Bad Request";
  const problem = { ...toProblem(new PlastronError("invalid_request", "The request is not valid HTTP")), status: Number.parseInt(status, 10) };
  const body = JSON.stringify(problem);
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
}

/** Any error as one of the registry; what is not expected stays as it is and becomes `internal`. */
export function toKnown(error: unknown): unknown {
  if (error instanceof PlastronError) return error;
  const failure = error as FastifyError & { validation?: { instancePath: string; message?: string; params?: { issue?: { code?: string } } }[] };
  if (failure.validation) return invalid(failure.validation, failure.validationContext ?? "body");
  const code = FASTIFY_CODES[failure.code];
  if (code !== undefined) return new PlastronError(code, failure.message.slice(0, 300));
  if (typeof failure.statusCode === "number" && failure.statusCode >= 400 && failure.statusCode < 500)
    return new PlastronError("invalid_request", failure.message.slice(0, 300));
  return error;
}

interface Issue {
  instancePath: string;
  message?: string;
  params?: object;
}

function invalid(issues: Issue[], where: string): PlastronError {
  const errors: NonNullable<Problem["errors"]> = issues
    .slice(0, 20)
    .map((issue) => ({ path: pathOf(where, issue.instancePath), message: messageOf(issue).slice(0, 300) }));
  const language = errors.find((issue) => issue.path === "body.language");
  const code = language !== undefined && errors.length === 1 ? "unsupported_runtime" : "invalid_request";
  return new PlastronError(
    code,
    errors
      .map((issue) => `${issue.path}: ${issue.message}`)
      .join("; ")
      .slice(0, 1000),
    { errors },
  );
}

/** `/` alone stands for the whole, and for a key of the whole that should not be there. */
function pathOf(where: string, pointer: string): string {
  return `${where}${pointer === "/" ? "" : pointer.replaceAll("/", ".")}`.slice(0, 200);
}

/** zod says only that a key of a record is invalid; why is one level down. */
function messageOf({ message = "is not valid", params }: Issue): string {
  const inner = (params as { issue?: { issues?: { message: string }[] }; issues?: { message: string }[] } | undefined) ?? {};
  return (inner.issues ?? inner.issue?.issues)?.[0]?.message ?? message;
}

/** Stack and message of what went wrong, never the values of the request. */
function logged(error: unknown): object {
  const { name, message, stack, code, cause } = error as Error & { code?: string };
  return { name, message, code, stack, cause: cause instanceof Error ? cause.message : undefined };
}
