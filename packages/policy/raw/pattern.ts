import { globMatches } from "../orders/glob.ts";

/**
 * vArmor's patterns for paths, and the globs that they mean (contracts/watch.ts). A pattern is a literal, or has one `*` and no
 * `/` (a file name, anywhere), or one `**` (what a whole path begins and ends with). What stands before and after the star has
 * less than 64 bytes each, as upstream's tables hold them.
 */
export const MAX_PART_BYTES = 64;

export type Reading = { globs: string[]; note?: string } | { fault: string } | { without: string };

/**
 * A path pattern of a policy → the globs that match exactly the same canonical paths, but that a literal means that one path:
 * upstream's kernel code takes it for a prefix, so `/etc/passwd` there hits `/etc/passwd-` too. A literal that ends in `/` stands
 * for what lies below, which is all that it can match upstream. `without`: no path can match it.
 */
export function pathGlobs(pattern: string): Reading {
  const parts = partsOf(pattern);
  if ("fault" in parts) return parts;
  const { kind, head, tail } = parts;
  if (kind === "literal") {
    if (!head.startsWith("/")) return { without: "no path begins without a /: write the whole path, or **/NAME or a name with one *" };
    if (/\/(?:\.{0,2})\/|\/\.{1,2}$/.test(head)) return { without: "no canonical path has //, /./ or /../ in it" };
    return { globs: [plain(head.endsWith("/") ? `${head}**` : head, head.endsWith("/"))] };
  }
  if (kind === "name") return { globs: overlapping(head, tail, "*").map((name) => `/**/${name}`) };
  if (head !== "" && !head.startsWith("/")) return { without: "no path begins without a /" };
  return { globs: overlapping(head === "" ? "/" : head, tail, "**") };
}

/** The same for what mount(2) takes as its source, which need not be a path: `proc`, `tmpfs`, `/dev/sda1`. */
export function sourceGlobs(pattern: string): Reading {
  const parts = partsOf(pattern);
  if ("fault" in parts) return parts;
  const { kind, head, tail } = parts;
  if (kind === "literal") return head === "" ? { fault: "is empty: write ** for every source" } : { globs: [plain(head)] };
  if (kind === "name") return { globs: overlapping(head, tail, "*").flatMap((name) => [name, `/**/${name}`]) };
  return { globs: overlapping(head, tail, "**") };
}

type Parts = { kind: "literal" | "name" | "path"; head: string; tail: string };

function partsOf(pattern: string): Parts | { fault: string } {
  const stars = pattern.match(/\*+/g) ?? [];
  const single = stars.filter((run) => run === "*").length;
  const double = stars.filter((run) => run === "**").length;
  if (pattern === "") return { fault: "is empty" };
  if (/[\u0000-\u001f\u007f]/.test(pattern)) return { fault: "has a control character" };
  if (stars.some((run) => run.length > 2)) return { fault: "has more than two stars in a row: there are * (within a name) and ** (across names)" };
  if (single > 0 && double > 0) return { fault: "has both * and **: only one of them may be used" };
  if (single + double > 1) return { fault: `has ${single > 0 ? "*" : "**"} more than once` };
  if (single > 0 && pattern.includes("/")) return { fault: "has * beside a /: * stands for a part of a file name alone; ** goes across directories" };
  const [head = "", tail = ""] = stars.length > 0 ? pattern.split(/\*+/) : [pattern];
  for (const [part, text] of [["prefix", head] as const, ["suffix", tail] as const]) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes >= MAX_PART_BYTES) return { fault: `its ${part} has ${bytes} bytes; it must have less than ${MAX_PART_BYTES}` };
  }
  return { kind: stars.length === 0 ? "literal" : single > 0 ? "name" : "path", head, tail };
}

/** `a**a` matches `a` upstream, where head and tail may share characters; a glob does not: such words are said one by one. */
function overlapping(head: string, tail: string, star: "*" | "**"): string[] {
  const shared: string[] = [];
  for (let length = 1; length <= Math.min(head.length, tail.length); length++) {
    if (head.endsWith(tail.slice(0, length))) shared.push(plain(head + tail.slice(length)));
  }
  const glob = plain(head) + star + plain(tail);
  return [glob, ...shared.filter((word) => !globMatches(glob, word))];
}

/** `?` and `[` are characters like others in a pattern, and not in a glob: any one character stands for them, which is more. */
function plain(text: string, stars = false): string {
  const safe = text.replace(/[?[\]\\]/g, "?");
  return stars ? safe : safe.replaceAll("*", "?");
}
