import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { endsBeforeClosing } from "../relay/socket.ts";
import type { Authority } from "./authority.ts";

const HANDSHAKE_MS = 15_000;

/** Ends the program's TLS with a certificate of our own for `name`, in HTTP/1. Undefined when the handshake fails. */
export function endTls(socket: Socket, authority: Authority, name: string): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    const clear = new TLSSocket(socket, {
      isServer: true,
      secureContext: authority.contextOf(name),
      ALPNProtocols: ["http/1.1", "http/1.0"],
      allowHalfOpen: true,
    } as never);
    endsBeforeClosing(clear);
    const fail = () => {
      clearTimeout(timer);
      clear.destroy();
      socket.destroy();
      resolve(undefined);
    };
    const timer = setTimeout(fail, HANDSHAKE_MS);
    clear.once("error", fail).once("close", fail);
    clear.once("secure", () => {
      clearTimeout(timer);
      clear.off("error", fail).off("close", fail);
      clear.on("error", () => clear.destroy());
      resolve(clear);
    });
  });
}
