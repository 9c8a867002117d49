import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type AgentRequest, encodeFrame, type Frame, FrameReader } from "@plastron/contracts";

/** The server's end of a connection, as the tests need it. */
export interface Peer {
  socket: Socket;
  frames: Frame[];
  send(type: string, payload?: Uint8Array | string): void;
  /** Resolves with all frames when the agent has closed the connection. */
  closed: Promise<Frame[]>;
}

export async function peer(path: string): Promise<Peer> {
  const socket = connect(path);
  await once(socket, "connect");
  const frames: Frame[] = [];
  const reader = new FrameReader();
  socket.on("data", (chunk) => frames.push(...reader.push(chunk as Uint8Array)));
  socket.on("error", () => {});
  const closed = new Promise<Frame[]>((resolve) => socket.on("close", () => resolve(frames)));
  return { socket, frames, send: (type, payload = "") => void socket.write(encodeFrame(type, payload)), closed };
}

export interface Summary {
  /** The letters of all frames in order. */
  types: string;
  /** All of stdout. */
  text: string;
  /** The last letter, and its JSON where it is X or P. */
  type: string;
  last: Record<string, unknown>;
}

/** One request from start to end. */
export async function ask(path: string, request: AgentRequest | Record<string, unknown>): Promise<Summary> {
  const one = await peer(path);
  one.send("Q", JSON.stringify(request));
  return summary(await one.closed);
}

export function summary(frames: Frame[]): Summary {
  const last = frames.at(-1);
  const text = frames.filter(({ type }) => type === "O").map(({ payload }) => Buffer.from(payload).toString());
  return {
    types: frames.map(({ type }) => type).join(""),
    text: text.join(""),
    type: last?.type ?? "",
    last: last && "XP".includes(last.type) ? JSON.parse(Buffer.from(last.payload).toString()) : {},
  };
}
