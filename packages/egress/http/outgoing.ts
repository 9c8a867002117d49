import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { SwapStream } from "../secrets/stream.ts";
import { type Swap, Swapper } from "../secrets/swap.ts";

/** How a request's body goes on. */
export interface Outgoing {
  headers: [string, string][];
  body: Readable | Buffer;
}

/** What is put into a body, and what is told of it; throwing there ends the request. */
export interface BodySwaps {
  swaps: readonly Swap[];
  onHit(swap: Swap): void;
}

/** Bodies up to this size keep a length; servers that ask for one ask for it where bodies are small. */
const WHOLE = 65_536;
/** Nothing is looked for in these where they are larger: files, whose length servers want to know. */
const FILES = /^(application\/(octet-stream|zip|gzip|x-tar|pdf)|image\/|audio\/|video\/)/i;

/**
 * The body of a request with secrets in it. A short one is taken whole, so that its new length can be said; a long one is sent in
 * chunks. One that is compressed goes on as it is. Undefined: the program has gone. Errors: what `onHit` throws for a short one.
 */
export async function outgoing(request: IncomingMessage, headers: [string, string][], { swaps, onHit }: BodySwaps): Promise<Outgoing | undefined> {
  const length = request.headers["content-length"];
  const coded = request.headers["content-encoding"] ?? "identity";
  const isEmpty = request.headers["transfer-encoding"] === undefined && (length === undefined || Number(length) === 0);
  if (swaps.length === 0 || isEmpty || coded.toLowerCase() !== "identity") return { headers, body: request };
  const unframed = headers.filter(([name]) => !/^(content-length|transfer-encoding|content-md5|digest|content-digest|repr-digest)$/i.test(name));
  if (length !== undefined && Number(length) <= WHOLE) {
    const whole = await readWhole(request);
    if (!whole) return undefined;
    const swapper = new Swapper(swaps, onHit);
    const body = Buffer.concat([swapper.push(whole), swapper.end()]);
    if (body.equals(whole)) return { headers, body };
    return { headers: [...unframed, ["Content-Length", String(body.length)]], body };
  }
  if (length !== undefined && FILES.test(request.headers["content-type"] ?? "")) return { headers, body: request };
  const stream = new SwapStream(swaps, onHit);
  pipeline(request, stream, () => {});
  return { headers: [...unframed, ["Transfer-Encoding", "chunked"]], body: stream };
}

function readWhole(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    request.on("data", (chunk: Buffer) => parts.push(chunk));
    request.once("end", () => resolve(Buffer.concat(parts)));
    for (const event of ["close", "error", "aborted"]) request.once(event, () => resolve(undefined));
  });
}
