import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { PlastronError } from "@plastron/contracts";
import { Box } from "./box.ts";

/** Where every supervisor connects (native/wire.c, connect_with_token), with the token of the order that it answers. */
export class SupervisorSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #waiting = new Map<string, { come(box: Box): void; fail(why: string | Error): void }>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async listen(path: string): Promise<SupervisorSocket> {
    await rm(path, { force: true });
    const server = createServer();
    const socket = new SupervisorSocket(path, server);
    server.on("connection", (stream) => {
      socket.#open.add(stream);
      stream.once("close", () => socket.#open.delete(stream));
      const box = new Box(stream, (token) => {
        const waiting = socket.#waiting.get(token);
        socket.#waiting.delete(token);
        if (waiting) waiting.come(box);
        else box.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
    return socket;
  }

  /** The sandbox whose supervisor answers `token`; an error after `ms`, or when `abandon` is called before. */
  expect(token: string, ms: number): Promise<Box> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.abandon(token, `no supervisor answered within ${ms} ms`), ms);
      this.#waiting.set(token, {
        come: (box) => {
          clearTimeout(timer);
          resolve(box);
        },
        fail: (why) => {
          clearTimeout(timer);
          reject(typeof why === "string" ? new PlastronError("sandbox_failed", why) : why);
        },
      });
    });
  }

  /** Nobody will answer this token any more; of no effect when somebody has. */
  abandon(token: string, why: string | Error): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    waiting?.fail(why);
  }

  /** Lets go of every sandbox that is still there, whoever holds it: its supervisor then removes it. */
  close(): Promise<void> {
    for (const stream of this.#open) stream.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
