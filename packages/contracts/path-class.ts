import type { PathClass } from "./telemetry.ts";

const PLACES: readonly [prefix: string, kind: PathClass][] = [
  ["/workspace", "workspace"],
  ["/tmp", "tmp"],
  ["/var/tmp", "tmp"],
  ["/dev/shm", "tmp"],
  ["/opt/plastron", "runtime"],
  ["/node_modules", "runtime"],
  ["/usr", "system"],
  ["/lib", "system"],
  ["/lib64", "system"],
  ["/bin", "system"],
  ["/sbin", "system"],
  ["/etc", "etc"],
  ["/proc", "proc"],
  ["/sys", "sys"],
  ["/dev", "dev"],
];

/** What an absolute path inside a sandbox is, by its place; names that are no path (`memfd:x`, `socket:[1]`) are anonymous. */
export function pathClassOf(path: string): PathClass {
  if (!path.startsWith("/")) return "anonymous";
  return PLACES.find(([prefix]) => path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/"))?.[1] ?? "other";
}
