import type { VersionScheme } from "./scheme.ts";

/**
 * Maven's order (https://maven.apache.org/pom.html#Version_Order_Specification): tokens at dots, hyphens, and between digits and letters; known
 * qualifiers have ranks below, at and above a release; what ends a list and says nothing (0, "", final, ga, release) is dropped.
 */
export const maven: VersionScheme = {
  valid: (version) => version.length > 0 && version.length <= 128 && !/[\s,[\]()]/.test(version),
  compare: (a, b) => compareLists(parse(a), parse(b)),
};

type Item = bigint | string | Item[];

const RANKS: ReadonlyMap<string, number> = new Map([
  ["alpha", 0],
  ["beta", 1],
  ["milestone", 2],
  ["rc", 3],
  ["cr", 3],
  ["snapshot", 4],
  ["", 5],
  ["final", 5],
  ["ga", 5],
  ["release", 5],
  ["sp", 6],
]);
const SHORT: ReadonlyMap<string, string> = new Map([
  ["a", "alpha"],
  ["b", "beta"],
  ["m", "milestone"],
]);

function parse(version: string): Item[] {
  const text = version.toLowerCase();
  const top: Item[] = [];
  const opened: Item[][] = [top];
  const open = () => {
    const inner: Item[] = [];
    (opened.at(-1) as Item[]).push(inner);
    opened.push(inner);
  };
  let token = "";
  const close = (before: string) => {
    const list = opened.at(-1) as Item[];
    if (/^\d+$/.test(token)) list.push(BigInt(token));
    else if (token !== "" || before === ".") list.push(token === "" ? 0n : /\d/.test(before) ? (SHORT.get(token) ?? token) : token);
    token = "";
  };
  for (const [at, char] of [...text].entries()) {
    if (char === ".") close(".");
    else if (char === "-") {
      close("-");
      open();
    } else if (token !== "" && /\d/.test(char) !== /\d/.test(token.at(-1) as string)) {
      // Between digits and letters stands a hyphen that nobody wrote.
      const digits = /\d/.test(char);
      close(digits ? char : "");
      open();
      token = char;
    } else token += char;
    if (at === text.length - 1) close("");
  }
  for (const list of opened.reverse()) trim(list);
  return top;
}

/** Drops what says nothing at the end of a list. */
function trim(list: Item[]): void {
  for (let at = list.length - 1; at >= 0; at--) {
    const item = list[at] as Item;
    if (isNull(item)) list.splice(at, 1);
    else if (!Array.isArray(item)) break;
  }
}

function isNull(item: Item): boolean {
  if (Array.isArray(item)) return item.length === 0;
  return typeof item === "bigint" ? item === 0n : RANKS.get(item) === 5;
}

function compareLists(a: readonly Item[], b: readonly Item[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const left = a[i];
    const right = b[i];
    const order = left === undefined ? -compareItem(right as Item, null) : compareItem(left, right ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

/** Against nothing, an item is compared with what says nothing of its kind. Numbers stand above lists, lists above words. */
function compareItem(a: Item, b: Item | null): number {
  if (typeof a === "bigint") {
    if (b === null) return a === 0n ? 0 : 1;
    return typeof b === "bigint" ? (a < b ? -1 : a > b ? 1 : 0) : 1;
  }
  if (typeof a === "string") {
    if (b === null) return compareWords(a, "");
    return typeof b === "string" ? compareWords(a, b) : -1;
  }
  if (b === null) return a.length === 0 ? 0 : (a.map((item) => compareItem(item, null)).find((order) => order !== 0) ?? 0);
  return typeof b === "bigint" ? -1 : typeof b === "string" ? 1 : compareLists(a, b);
}

/** Unknown words stand above all known ones, in the order of the alphabet. */
function compareWords(a: string, b: string): number {
  const left = RANKS.get(a) ?? 7;
  const right = RANKS.get(b) ?? 7;
  if (left !== right || left < 7) return Math.sign(left - right);
  return a < b ? -1 : a > b ? 1 : 0;
}
