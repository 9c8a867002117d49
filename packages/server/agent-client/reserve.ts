import { connect, type Socket } from "node:net";

/**
 * Sockets that are connected before they are needed. One connection carries one run, so each is used once; connecting ahead takes
 * it off the path of a request.
 */
export class Reserve {
  readonly #path: string;
  readonly #size: number;
  readonly #ready: Socket[] = [];
  #opening = 0;
  #closed = false;

  constructor(path: string, size: number) {
    this.#path = path;
    this.#size = size;
  }

  /** A socket that is connected, or on its way to be. `fresh` tells whether it was made for this call. */
  take(): { socket: Socket; fresh: boolean } {
    const socket = this.#ready.pop();
    this.#refill();
    if (socket === undefined) return { socket: connect(this.#path), fresh: true };
    socket.removeAllListeners();
    socket.ref();
    return { socket, fresh: false };
  }

  /** A socket for one call that must not rely on what may have died in the reserve. */
  fresh(): Socket {
    return connect(this.#path);
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#ready) socket.destroy();
    this.#ready.length = 0;
  }

  #refill(): void {
    while (!this.#closed && this.#ready.length + this.#opening < this.#size) {
      const socket = connect(this.#path);
      this.#opening++;
      const forget = () => {
        const at = this.#ready.indexOf(socket);
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
        socket.on("error", forget);
        socket.on("close", forget);
        socket.on("end", forget);
        socket.unref();
        this.#ready.push(socket);
      });
    }
  }
}
