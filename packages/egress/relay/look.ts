import type { Socket } from "node:net";
import { readHello } from "../tls/hello.ts";

/** What the first bytes of a connection are. They stay in the socket. */
export type Look =
  | { kind: "tls"; name: string | null; encrypted: boolean }
  | { kind: "http" }
  | { kind: "stream" }
  | { kind: "silent" }
  | { kind: "bad"; why: string }
  | { kind: "gone" };

/**
 * Waits until the first bytes tell what they are. `patience`: after how long it is `silent`, as one is who waits to be greeted;
 * null: never, because what the program would say then could be denied. After `ms` without enough to tell, it is `gone`.
 */
export function look(socket: Socket, patience: number | null, ms: number): Promise<Look> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    const finish = (found: Look) => {
      clearTimeout(silence);
      clearTimeout(limit);
      socket.off("readable", read).off("end", gone).off("close", gone);
      const bytes = Buffer.concat(parts);
      if (bytes.length > 0 && found.kind !== "gone") socket.unshift(bytes);
      resolve(found);
    };
    const gone = () => finish({ kind: "gone" });
    const read = () => {
      for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) parts.push(chunk);
      if (parts.length === 0) return;
      clearTimeout(silence);
      const found = classify(Buffer.concat(parts));
      if (found) finish(found);
    };
    const silence = patience === null ? undefined : setTimeout(() => finish({ kind: "silent" }), patience);
    const limit = setTimeout(gone, ms);
    socket.on("readable", read).once("end", gone).once("close", gone);
    read();
  });
}

const HANDSHAKE = 22;
/** A request line begins with a token and a space (RFC 9112, 3); no method that is in use is longer. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32} /;
const METHOD_SO_FAR = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{0,32}$/;

/** Undefined while it could still be either. HTTP/2 in the clear looks like a method and is refused by the parser. */
export function classify(bytes: Buffer): Look | undefined {
  if (bytes[0] === HANDSHAKE) {
    const hello = readHello(bytes);
    if (hello.kind === "more") return undefined;
    return hello.kind === "hello" ? { kind: "tls", name: hello.name, encrypted: hello.encrypted } : { kind: "bad", why: hello.why };
  }
  const text = bytes.toString("latin1", 0, 40);
  if (METHOD.test(text)) return { kind: "http" };
  return METHOD_SO_FAR.test(text) ? undefined : { kind: "stream" };
}
