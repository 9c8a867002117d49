import { chmod, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { PlastronError } from "@plastron/contracts";
import { Box } from "./box.ts";

/** Where every supervisor connects (native/wire.c, connect_with_token), with the token of the order that it answers. */
export class SupervisorSocket {
  readonly path: string;
  readonly #server: Server;
  readonly #waiting = new Map<string, (box: Box) => void>();

  private constructor(path: string, server: Server) {
    this.path = path;
    this.#server = server;
  }

  static async listen(path: string): Promise<SupervisorSocket> {
    await rm(path, { force: true });
    const server = createServer();
    const socket = new SupervisorSocket(path, server);
    server.on("connection", (stream) => {
      const box = new Box(stream, (token) => {
        const take = socket.#waiting.get(token);
        socket.#waiting.delete(token);
        if (take) take(box);
        else box.destroy();
      });
    });
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(path, resolve));
    await chmod(path, 0o600);
    return socket;
  }

  /** The sandbox whose supervisor answers `token`, or an error after `ms`. */
  expect(token: string, ms: number): Promise<Box> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(token);
        reject(new PlastronError("sandbox_failed", `no supervisor answered within ${ms} ms`));
      }, ms);
      this.#waiting.set(token, (box) => {
        clearTimeout(timer);
        resolve(box);
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
