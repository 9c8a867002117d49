import { connect, type Socket } from "node:net";

const CONNECT_MS = 10_000;
const IDLE_MS = 600_000;

/** Bytes both ways between the program and the first address that answers, until both have ended or one breaks. */
export async function splice(inside: Socket, addresses: readonly string[], port: number): Promise<void> {
  const outside = await dial(inside, addresses, port);
  if (outside) join(inside, outside);
  else inside.destroy();
}

/**
 * The same for a program that says nothing: bytes go both ways once the server has spoken. True when the program spoke first
 * after all: then nothing was passed on, and what it says is still to be looked at.
 */
export async function spliceGreeted(inside: Socket, addresses: readonly string[], port: number): Promise<boolean> {
  const outside = await dial(inside, addresses, port);
  if (!outside) inside.destroy();
  if (!outside) return false;
  const spoke = await firstToSpeak(inside, outside);
  if (spoke === "inside") outside.destroy();
  else if (spoke === "outside") join(inside, outside);
  else inside.destroy();
  return spoke === "inside";
}

/** Undefined when no address answers, or the program has gone. */
async function dial(inside: Socket, addresses: readonly string[], port: number): Promise<Socket | undefined> {
  for (const host of addresses) {
    const outside = await attempt(host, port);
    if (!outside) continue;
    if (!inside.destroyed) return outside;
    outside.destroy();
    return undefined;
  }
  return undefined;
}

function attempt(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const outside = connect({ host, port, allowHalfOpen: true });
    const timer = setTimeout(() => outside.destroy(new Error("no answer")), CONNECT_MS);
    outside.on("error", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    outside.once("connect", () => {
      clearTimeout(timer);
      resolve(outside);
    });
  });
}

function firstToSpeak(inside: Socket, outside: Socket): Promise<"inside" | "outside" | "nobody"> {
  return new Promise((resolve) => {
    const finish = (who: "inside" | "outside" | "nobody") => {
      clearTimeout(timer);
      inside.off("readable", onInside).off("close", onClose);
      outside.off("readable", onOutside).off("close", onClose);
      resolve(who);
    };
    const onInside = () => (inside.readableLength > 0 || inside.readableEnded ? finish("inside") : undefined);
    const onOutside = () => (outside.readableLength > 0 ? finish("outside") : undefined);
    const onClose = () => finish("nobody");
    const timer = setTimeout(onClose, IDLE_MS);
    inside.on("readable", onInside).once("close", onClose);
    outside.on("readable", onOutside).once("close", onClose);
  });
}

function join(inside: Socket, outside: Socket): void {
  const broken = () => inside.destroy();
  outside.on("error", broken);
  if (outside.errored) return void broken();
  inside.once("close", () => outside.destroy());
  for (const socket of [inside, outside]) socket.setTimeout(IDLE_MS, () => socket.destroy());
  inside.pipe(outside).pipe(inside);
}
