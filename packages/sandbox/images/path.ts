const MAX_PATH = 1024;
const MAX_NAME = 255;
const MAX_DEPTH = 64;
const UNPRINTABLE = /[\u0000-\u001f\u007f\ufffd]/;

/** Why a path that came out of a build cannot be one of an image; null where it can. Relative, slashes, no step upwards. */
export function pathFault(path: string): string | null {
  const names = path.split("/");
  if (Buffer.byteLength(path) > MAX_PATH || names.length > MAX_DEPTH) return "is too long";
  if (names.some((name) => name === "" || name === "." || name === "..")) return "does not stay inside";
  if (names.some((name) => Buffer.byteLength(name) > MAX_NAME)) return "has a name that is too long";
  return UNPRINTABLE.test(path) || !path.isWellFormed() ? "has characters that no file of a package needs" : null;
}

/**
 * Why a symbolic link may not be in an image; null where it may. Steps upwards stand first and are no more than the link is deep:
 * what follows only descends, also through other links, which obey the same rule. So no link leads out, whatever it passes.
 */
export function linkFault(path: string, target: string): string | null {
  const names = target.split("/");
  const up = names.findIndex((name) => name !== "..");
  const steps = up < 0 ? names.length : up;
  if (target.startsWith("/") || steps > path.split("/").length - 1) return "leads out";
  const rest = names.slice(steps);
  return rest.length === 0 ? null : pathFault(rest.join("/"));
}
