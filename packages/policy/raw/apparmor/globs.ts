/** How many paths alternations and variables of one rule may stand for. */
export const MAX_PATHS = 64;
const MAX_LENGTH = 4096;

/** Of tunables/global. Numbers of processes begin with a digit, which is as near as a glob comes. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  PROC: ["/proc/"],
  sys: ["/sys/"],
  run: ["/run/", "/var/run/"],
  HOMEDIRS: ["/home/"],
  HOME: ["/home/*/", "/root/"],
  pid: ["[1-9]*"],
  pids: ["[1-9]*"],
  tid: ["[1-9]*"],
  uid: ["[0-9]*"],
  uids: ["[0-9]*"],
  multiarch: ["*-linux-gnu*"],
  bin: ["/bin", "/sbin", "/usr/bin", "/usr/sbin"],
};

export type Globs = { globs: string[] } | { fault: string };

/**
 * A path of an AppArmor rule → globs (contracts/watch.ts) that match at least what it matches: alternations and well-known
 * variables written out, a directory without its last slash.
 */
export function appArmorGlobs(quoted: string): Globs {
  const given = /^".*"$/.test(quoted) ? quoted.slice(1, -1) : quoted;
  if (/[\u0000-\u001f\u007f]/.test(given)) return { fault: "it has a control character" };
  if (given.includes('"')) return { fault: "quotation marks must hold the whole path" };
  const open = withVariables(given);
  if (typeof open !== "string") return open;
  const paths = alternatives(open);
  if (paths === null) return { fault: `its brackets do not match, or stand for more than ${MAX_PATHS} paths` };
  const globs = paths.map(globOf);
  const faulty = globs.find((glob) => typeof glob !== "string");
  return faulty && typeof faulty !== "string" ? faulty : { globs: [...new Set(globs as string[])] };
}

function withVariables(text: string): string | { fault: string } {
  let unknown: string | null = null;
  const replaced = text.replace(/@\{([^}]*)\}/g, (_, name: string) => {
    const values = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (!values) unknown ??= name;
    return values ? (values.length === 1 ? (values[0] as string) : `{${values.join(",")}}`) : "";
  });
  if (unknown !== null) return { fault: `the variable @{${unknown}} is not known here` };
  return replaced.length > MAX_LENGTH ? { fault: "it is too long" } : replaced;
}

/** `{a,b}` written out, nested ones too; null if brackets do not match or there are too many. */
function alternatives(text: string): string[] | null {
  const open = unescaped(text, "{", 0);
  if (open < 0) return unescaped(text, "}", 0) < 0 ? [text] : null;
  let depth = 0;
  const cuts = [open];
  for (let at = open; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "{") depth++;
    else if (text[at] === "," && depth === 1) cuts.push(at);
    else if (text[at] === "}" && --depth === 0) {
      const choices = cuts.map((cut, i) => text.slice(cut + 1, cuts[i + 1] ?? at));
      return combined(text.slice(0, open), choices, text.slice(at + 1));
    }
  }
  return null;
}

function combined(before: string, choices: readonly string[], after: string): string[] | null {
  const all = new Set<string>();
  if (choices.length > MAX_PATHS) return null;
  const rest = alternatives(after);
  if (rest === null) return null;
  for (const choice of choices) {
    const inner = alternatives(choice);
    if (inner === null) return null;
    for (const middle of inner) for (const end of rest) all.add(before + middle + end);
    if (all.size > MAX_PATHS) return null;
  }
  return [...all];
}

function unescaped(text: string, wanted: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === wanted) return at;
  }
  return -1;
}

function globOf(path: string): string | { fault: string } {
  if (!path.startsWith("/")) return { fault: "it does not begin with /" };
  const faults: string[] = [];
  const unread = (what: string, found: string): string => {
    faults.push(`the ${what} ${found} is not read`);
    return "?";
  };
  const spelt = withOctal(path);
  if (spelt.includes("\0")) return { fault: "it has a control character" };
  const glob = spelt.replace(/\\(.?)|\[([^\]]*)\]?|\*{3,}|\]/gs, (found, escaped: string | undefined, set: string | undefined) => {
    if (escaped !== undefined)
      return escaped === "" || /[0-9a-zA-Z]/.test(escaped) ? unread("escape", found) : /[*?[]/.test(escaped) ? `[${escaped}]` : escaped;
    if (set !== undefined) return setOf(set, found) ?? unread("set", found);
    return found === "]" ? "?" : "**";
  });
  const [fault] = faults;
  if (fault !== undefined) return { fault };
  const clean = glob.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
  return /\/\.{1,2}(\/|$)/.test(clean) ? { fault: "no canonical path has . or .. in it" } : clean;
}

/** `\040` and its like: bytes of UTF-8. What would be a sign stays escaped. */
function withOctal(path: string): string {
  return path.replace(/(?:\\[0-3][0-7]{2})+/g, (run) => {
    const text = Buffer.from(
      run
        .split("\\")
        .slice(1)
        .map((digits) => Number.parseInt(digits, 8)),
    ).toString("utf8");
    return text.replace(/[*?[\]{}\\]/g, (sign) => `\\${sign}`);
  });
}

/** `[^/]` is any character of a name, since no set matches a slash. */
function setOf(set: string, found: string): string | null {
  const negated = set.startsWith("^");
  const members = (negated ? set.slice(1) : set).replaceAll(negated ? "/" : "\u0000", "");
  if (!found.endsWith("]") || members.includes("/") || /[[\\*?{}!^]/.test(members)) return null;
  if (members === "") return negated ? "?" : null;
  return `[${negated ? "^" : ""}${members}]`;
}
