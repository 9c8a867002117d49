import { z } from "zod";
import type { App } from "../../http/app.ts";
import { problems } from "../../http/problem.ts";
import { authenticateWith, bearerToken } from "../auth/hook.ts";
import type { AuthService } from "../auth/service.ts";
import type { ViolationFeed } from "./feed.ts";
import { filterFields } from "./filter.ts";
import type { Position, ViolationStore } from "./store.ts";
import { streamViolations } from "./stream.ts";
import { violationView, violationViewSchema } from "./view.ts";

const cursorSchema = z
  .string()
  .regex(/^run_[0-9A-HJKMNP-TV-Z]{26}\.\d{1,4}$/)
  .transform((text) => {
    const [run, n] = text.split(".") as [string, string];
    return { run, n: Number(n) };
  });
const listQuery = z
  .object({
    ...filterFields,
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: cursorSchema.optional().describe("next_cursor of the page before"),
  })
  .strict();

/** Transaction and sequence: what the id of an event says. */
const positionSchema = z
  .string()
  .regex(/^\d{1,19}\.\d{1,18}$/, "not the id of an event of this stream")
  .transform((text): Position => {
    const [tx, seq] = text.split(".") as [string, string];
    return { tx, seq };
  });
const streamHeaders = z.object({ "last-event-id": positionSchema.optional().describe("go on behind this event") });
const streamQuery = z.object(filterFields).omit({ until: true }).strict();
const BEGINNING: Position = { tx: "0", seq: "0" };

/** `/v1/violations`: what runs of the tenant did against their policies. */
export function violationRoutes(app: App, deps: { auth: AuthService; store: ViolationStore; feed: ViolationFeed }): void {
  const mayRead = authenticateWith(deps.auth, "read");
  app.get(
    "/v1/violations",
    {
      onRequest: mayRead,
      schema: {
        tags: ["violations"],
        summary: "List violations: of the newest run first, within a run the newest first",
        querystring: listQuery,
        response: { 200: z.object({ data: z.array(violationViewSchema), next_cursor: z.string().nullable() }), ...problems },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query;
      const rows = await deps.store.list(request.principal.tenant, filter, { limit: limit + 1, ...(cursor ? { before: cursor } : {}) });
      const data = rows.slice(0, limit).map(violationView);
      return { data, next_cursor: rows.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.get(
    "/v1/violations/stream",
    {
      onRequest: mayRead,
      schema: {
        tags: ["violations"],
        summary: "Violations as they are recorded, as server-sent events",
        description:
          "Answers `text/event-stream` with events `violation`, from now on, or from `since` on. Each has an id: a client that was cut off sends the last as Last-Event-ID and gets all that it missed, in the same order, from any server. At most 8 streams of a tenant.",
        querystring: streamQuery,
        headers: streamHeaders,
        response: { 200: violationViewSchema.describe("the data of each event"), ...problems },
      },
    },
    async (request, reply) => {
      const from = request.headers["last-event-id"] ?? (request.query.since === undefined ? undefined : BEGINNING);
      const token = bearerToken(request) as string;
      const stillAllowed = () => deps.auth.authenticate(token, request.ip);
      await streamViolations(request, reply, { feed: deps.feed, filter: request.query, from, stillAllowed });
      return reply;
    },
  );
}
