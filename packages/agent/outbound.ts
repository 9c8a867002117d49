import type { Socket } from "node:net";
import { encodeFrame, FRAME_HEADER } from "@plastron/contracts";

/** Below this a frame is copied into one buffer; above it header and payload leave in one writev without a copy. */
const COPY_BELOW = 4096;

/** The agent's half of a connection. */
export interface Outbound {
  /** Sends one frame. A promise comes back where the peer reads slower than we write: wait for it before making more. */
  send(type: string, payload?: Uint8Array | string): void | Promise<void>;
  /** Sends the last frame and closes. Later frames are dropped. */
  finish(type: string, payload: string): void;
}

/** Frames out of one socket, with back-pressure. Never throws: a vanished peer makes every send a no-op. */
export function outbound(socket: Socket): Outbound {
  let drained: Promise<void> | undefined;
  let finished = false;
  let gathering = false;

  function waitForDrain(): Promise<void> {
    drained ??= new Promise((resolve) => {
      const settle = () => {
        socket.off("drain", settle).off("close", settle);
        drained = undefined;
        resolve();
      };
      socket.on("drain", settle).on("close", settle);
    });
    return drained;
  }

  /** Frames of one turn leave in one write: a short run's server wakes once. */
  function gather(): void {
    if (gathering) return;
    gathering = true;
    socket.cork();
    setImmediate(() => {
      gathering = false;
      socket.uncork();
    });
  }

  return {
    send(type, payload = "") {
      if (finished || socket.destroyed) return;
      gather();
      if (!write(socket, type, payload) && !socket.destroyed) return waitForDrain();
    },
    finish(type, payload) {
      if (finished) return;
      finished = true;
      socket.end(encodeFrame(type, payload));
    },
  };
}

function write(socket: Socket, type: string, payload: Uint8Array | string): boolean {
  if (typeof payload === "string" || payload.length < COPY_BELOW) return socket.write(encodeFrame(type, payload));
  const header = Buffer.allocUnsafe(FRAME_HEADER);
  header[0] = type.charCodeAt(0);
  header.writeUInt32LE(payload.length, 1);
  socket.cork();
  socket.write(header);
  const roomLeft = socket.write(payload);
  socket.uncork();
  return roomLeft;
}
