import { connect, type Socket } from "node:net";

/** The agent gives up on a connection that asked nothing for 30 s. */
const OLDEST_MS = 20_000;

/**
 * Sockets that are connected before they are needed. One connection carries one run, so each is used once; connecting ahead takes
 * it off the path of a request.
 */
export class Reserve {
  readonly #path: string;
  readonly #size: number;
  readonly #ready: { socket: Socket; since: number }[] = [];
  #opening = 0;
  #closed = false;

  constructor(path: string, size: number) {
    this.#path = path;
    this.#size = size;
  }

  /** A socket that is connected, or on its way to be. `fresh` tells whether it was made for this call. */
  take(): { socket: Socket; fresh: boolean } {
    const newest = this.#ready.pop();
    const usable = newest !== undefined && !newest.socket.destroyed && Date.now() - newest.since < OLDEST_MS;
    if (!usable) this.#discard(newest);
    this.#refill();
    if (!usable) return { socket: connect(this.#path), fresh: true };
    newest.socket.removeAllListeners();
    newest.socket.ref();
    return { socket: newest.socket, fresh: false };
  }

  /** A socket for one call that must not rely on what may have died in the reserve. */
  fresh(): Socket {
    return connect(this.#path);
  }

  close(): void {
    this.#closed = true;
    this.#discard(undefined);
  }

  /** The newest is the last: where that is too old, all are. */
  #discard(newest: { socket: Socket } | undefined): void {
    newest?.socket.destroy();
    for (const { socket } of this.#ready.splice(0)) socket.destroy();
  }

  #refill(): void {
    while (!this.#closed && this.#ready.length + this.#opening < this.#size) {
      const socket = connect(this.#path);
      this.#opening++;
      const forget = () => {
        const at = this.#ready.findIndex((ready) => ready.socket === socket);
        if (at >= 0) this.#ready.splice(at, 1);
        socket.destroy();
      };
      const gone = () => {
        this.#opening--;
      };
      socket.once("error", gone); // the agent is away; the next take tries again
      socket.once("connect", () => {
        this.#opening--;
        socket.off("error", gone);
        if (this.#closed) return void socket.destroy();
        // Nothing may come on it before it is used; `data` also keeps it read, without which its end would go unnoticed.
        socket.on("error", forget).on("close", forget).on("data", forget);
        socket.unref();
        this.#ready.push({ socket, since: Date.now() });
      });
    }
  }
}
