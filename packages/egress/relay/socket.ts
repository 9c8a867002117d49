import type { Socket } from "node:net";

/** An ended stream that the program does not close is closed after this. */
const LINGER_MS = 30_000;

/**
 * Node closes a stream as soon as it has ended it. To the relay that looks like our death in the middle of it, and it would reset
 * the program's connection: so a stream is ended, and closed when the other side has closed.
 */
export function endsBeforeClosing(socket: Socket): void {
  socket.destroySoon = () => {
    if (socket.writable) socket.end();
    socket.resume();
  };
  socket.once("finish", () => {
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  });
}

/** The next `length` bytes; undefined when they do not come in time. What comes after them stays in the socket. */
export function readExactly(socket: Socket, length: number, ms: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const finish = (bytes: Buffer | undefined) => {
      clearTimeout(timer);
      socket.off("readable", attempt).off("end", fail).off("close", fail);
      resolve(bytes);
    };
    const fail = () => finish(undefined);
    const attempt = () => {
      const bytes = socket.read(length) as Buffer | null;
      if (bytes) finish(bytes.length === length ? bytes : undefined);
    };
    const timer = setTimeout(fail, ms);
    socket.on("readable", attempt).once("end", fail).once("close", fail);
    attempt();
  });
}
