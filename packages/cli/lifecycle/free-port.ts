import { createServer } from "node:net";
import { Failure } from "../failure.ts";

/** Asks the kernel by binding: the only answer that also knows of other network namespaces and privileged ports. */
export async function requireFreePort(host: string, port: number, flag: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => reject(portFailure(error, host, port, flag)));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve()));
  });
}

function portFailure(error: NodeJS.ErrnoException, host: string, port: number, flag: string): Failure {
  if (error.code === "EADDRINUSE")
    return new Failure("port_in_use", `port ${port} on ${host} is already in use`, {
      hint: `Choose another with ${flag} N, or stop the program that holds it.`,
    });
  if (error.code === "EACCES")
    return new Failure("start_failed", `this user may not listen on port ${port}`, { hint: `Choose one above 1023 with ${flag} N.` });
  return new Failure("start_failed", `cannot listen on ${host}:${port}: ${error.message}`, {
    hint: "--host takes an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
  });
}
