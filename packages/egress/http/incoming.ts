import type { IncomingMessage } from "node:http";
import { pipeline, type Readable, type Writable } from "node:stream";
import { decoders, SwapStream } from "../secrets/stream.ts";
import type { Vault } from "../secrets/vault.ts";

/** An answer as the sandbox may have it. */
export interface Incoming {
  status: number;
  message: string;
  headers: [string, string][];
  /** Undefined: it is coded in a way that cannot be looked into. */
  send: ((to: Writable) => void) | undefined;
}

/**
 * Takes secrets out of an answer: out of its status line, its headers and its body, which is decoded for that. Trailers never
 * reach a sandbox.
 */
export function incoming(answer: IncomingMessage, headers: [string, string][], method: string | undefined, vault: Vault | null): Incoming {
  const status = answer.statusCode ?? 502;
  const plain = { status, message: answer.statusMessage ?? "", headers };
  if (!vault?.guards) return { ...plain, send: (to) => void answer.pipe(to) };
  const clean = headers.map(([name, value]): [string, string] => [vault.clean(name), vault.clean(value)]);
  const message = vault.clean(plain.message);
  if (method === "HEAD" || status === 204 || status === 304) return { status, message, headers: clean, send: (to) => void answer.pipe(to) };
  const undo = decoders(answer.headers["content-encoding"]);
  const free = clean.filter(([name]) => !/^(content-length|content-encoding|content-md5|digest|content-digest|repr-digest)$/i.test(name));
  return { status, message, headers: free, send: undo && ((to) => through(answer, [...undo, new SwapStream(vault.swaps)], to)) };
}

/** Whatever breaks on the way breaks the answer: a sandbox never takes a part of one for the whole. */
function through(answer: Readable, steps: NodeJS.ReadWriteStream[], to: Writable): void {
  pipeline([answer, ...steps, to], (error) => {
    if (error) to.destroy();
  });
}
