import { connect, type Socket } from "node:net";

const CONNECT_MS = 10_000;
const IDLE_MS = 600_000;

/** Bytes both ways between the program and the first address that answers, until both have ended or one breaks. */
export function splice(inside: Socket, addresses: readonly string[], port: number): void {
  const [host, ...others] = addresses;
  if (host === undefined) return void inside.destroy();
  const outside = connect({ host, port, allowHalfOpen: true });
  const timer = setTimeout(() => outside.destroy(new Error("no answer")), CONNECT_MS);
  const tryNext = () => splice(inside, others, port);
  const onClose = () => outside.destroy();
  inside.once("close", onClose);
  outside.once("error", tryNext).once("connect", () => {
    clearTimeout(timer);
    outside.off("error", tryNext).on("error", () => inside.destroy());
    outside.once("close", (failed) => failed && inside.destroy());
    for (const socket of [inside, outside]) socket.setTimeout(IDLE_MS, () => socket.destroy());
    inside.pipe(outside).pipe(inside);
  });
  outside.once("close", () => {
    clearTimeout(timer);
    inside.off("close", onClose);
  });
}
