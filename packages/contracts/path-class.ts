import type { PathClass } from "./telemetry.ts";

/** The first that fits stands: what lies within another place comes before it. */
const PLACES: readonly (readonly [PathClass, string])[] = [
  ["workspace", "/workspace"],
  ["tmp", "/tmp /var/tmp /dev/shm"],
  // Our own files, and where the packages of a runtime are mounted: Node's above every program, Python's in place of the distribution's.
  ["runtime", "/opt/plastron /node_modules /usr/lib/python3/dist-packages"],
  ["system", "/usr /lib /lib32 /lib64 /libx32 /bin /sbin"],
  ["etc", "/etc"],
  ["proc", "/proc"],
  ["sys", "/sys"],
  ["dev", "/dev"],
];
const PREFIXES = PLACES.flatMap(([kind, places]) => places.split(" ").map((place) => [place, kind] as const));

/** What an absolute path inside a sandbox is, by its place; names that are no path (`memfd:x`, `socket:[1]`) are anonymous. */
export function pathClassOf(path: string): PathClass {
  if (!path.startsWith("/")) return "anonymous";
  return PREFIXES.find(([place]) => path.startsWith(place) && (path.length === place.length || path[place.length] === "/"))?.[1] ?? "other";
}
