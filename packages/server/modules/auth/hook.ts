import { PlastronError } from "@plastron/contracts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Principal, requireScope, type Scope } from "./principal.ts";
import type { AuthService } from "./service.ts";

declare module "fastify" {
  interface FastifyRequest {
    principal: Principal;
    /** When the request's head was read (performance.now()), and the microseconds that authentication took: for the phases of a run. */
    receivedAt: number;
    authUs: number;
  }
}

/** Takes the token of a request; where it is read from differs between the front doors. */
export type TokenReader = (request: FastifyRequest) => string | undefined;

/** `Authorization: Bearer KEY` (RFC 6750). */
export const bearerToken: TokenReader = (request) => {
  const header = request.headers.authorization;
  return header !== undefined && /^Bearer /i.test(header) ? header.slice(7).trim() : undefined;
};

/**
 * The onRequest hook of a route: it runs before the body is read, so that nobody without a key can make the server read megabytes.
 */
export function authenticateWith(auth: AuthService, scope: Scope, readToken: TokenReader = bearerToken) {
  return (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
    const start = performance.now();
    request.receivedAt = start;
    const admit = (principal: Principal) => {
      requireScope(principal, scope);
      request.principal = principal;
      request.authUs = Math.round((performance.now() - start) * 1000);
    };
    try {
      const token = readToken(request);
      if (!token) throw new PlastronError("unauthorized", "The request has no valid API key");
      const principal = auth.remembered(token);
      if (principal) {
        admit(principal);
        done();
      } else {
        auth
          .authenticate(token, request.ip)
          .then(admit)
          .then(
            () => done(),
            (error: Error) => done(error),
          );
      }
    } catch (error) {
      done(error as Error);
    }
  };
}
