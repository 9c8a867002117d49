import type { PathClass, Telemetry } from "@plastron/contracts";

type Endpoint = Telemetry["network"]["peers"][number]["to"];

const WORKSPACE = "/workspace/";

/** As its author knows it: a file of the workspace by its name there. */
export const shortPath = (path: string): string =>
  path === "/workspace" ? "the workspace" : path.startsWith(WORKSPACE) && path.length > WORKSPACE.length ? path.slice(WORKSPACE.length) : path;

/** What a class of places is called; plural. */
export const CLASSES: Record<PathClass, string> = {
  workspace: "workspace",
  tmp: "temporary",
  runtime: "runtime",
  system: "system",
  etc: "configuration",
  proc: "proc",
  sys: "sys",
  dev: "device",
  anonymous: "anonymous",
  other: "other",
};
/** Of these each file is worth a line; of the others there are hundreds, and a count says it. */
export const OWN: readonly PathClass[] = ["workspace", "tmp", "anonymous"];

export function addressWords({ family, address, port }: Endpoint, hosts: ReadonlyMap<string, string>): string {
  if (family === "unix") return `unix socket ${address === "" ? "(unnamed)" : address}`;
  const host = hosts.get(address);
  const place = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  return host ? `${host}:${port} (${place})` : place;
}

/** Addresses that stand for a name. */
export function hostsOf({ network }: Telemetry): ReadonlyMap<string, string> {
  return new Map(network.flows.flatMap(({ address, host }) => (host ? [[address, host] as const] : [])));
}

/** The longest directory that all of them lie in; `/` where there is none. */
export function commonDirectory(paths: readonly string[]): string {
  const [first = "/", ...others] = paths;
  let end = first.lastIndexOf("/");
  while (end > 0 && !others.every((path) => path.startsWith(`${first.slice(0, end)}/`))) end = first.lastIndexOf("/", end - 1);
  return first.slice(0, Math.max(0, end)) || "/";
}
