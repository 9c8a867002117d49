import { isUtf8 } from "node:buffer";
import { PlastronError } from "@plastron/contracts";
import type { FastifyInstance } from "fastify";

/** 4 MiB of code, 16 MiB of standard input, and files. */
export const BODY_LIMIT = 32 * 1024 * 1024;

/**
 * How bodies are read: JSON that is strictly UTF-8 (fastify's own reader would put U+FFFD for what is not, and so run another
 * program than was sent) and has no keys that reach prototypes; YAML as text. Everything else is refused.
 */
export function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_request, body: Buffer, done) => done(...attempt(() => readJson(body))));
  app.addContentTypeParser(["application/yaml", "application/x-yaml", "text/yaml"], { parseAs: "buffer" }, (_request, body: Buffer, done) =>
    done(...attempt(() => ({ yaml: utf8(body) }))),
  );
}

/** @throws PlastronError invalid_json, invalid_request */
export function readJson(body: Buffer): unknown {
  if (body.length === 0) return undefined;
  const text = utf8(body);
  try {
    // The slow way only where the text can hold such a key, written plainly or with escapes.
    return /__proto__|\\u00/i.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (error) {
    if (error instanceof PlastronError) throw error;
    throw new PlastronError("invalid_json", `The body is not valid JSON${place((error as Error).message)}`);
  }
}

/** JSON makes `__proto__` an ordinary key; copied into another object it would become that object's prototype. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new PlastronError("invalid_request", "The body has a key named __proto__");
  return value;
}

function utf8(body: Buffer): string {
  if (!isUtf8(body)) throw new PlastronError("invalid_json", "The body is not valid UTF-8");
  return body.toString("utf8");
}

/** Where in the body, from V8's message, without the excerpt of the body that the message may hold. */
function place(message: string): string {
  const position = /position (\d+)/.exec(message)?.[1];
  return position === undefined ? "" : ` (at byte ${position})`;
}

function attempt(read: () => unknown): [Error | null, unknown?] {
  try {
    return [null, read()];
  } catch (error) {
    return [error as Error];
  }
}
