import { matchesHost } from "../rules/compiled.ts";
import { inJson } from "./forms.ts";
import { NoSecret } from "./read.ts";
import { type Swap, swapText } from "./swap.ts";
import type { Opened, Vault } from "./vault.ts";

/** Path, query and headers of a request, and what to do with its body. */
export interface Head {
  target: string;
  headers: [name: string, value: string][];
}

export interface Injected extends Head {
  body: readonly Swap[];
  /** Grants whose placeholder is in the head of a request to a host that is none of theirs: it stays what it is. */
  stray: readonly Opened[];
}

/**
 * Puts secrets in the place of their placeholders, for the grants that name `host`. In the path only what no server could take for
 * more of a path; in the query and in forms as URLs write it; in JSON as JSON does; inside of base64 too, as Basic authorization is.
 * Errors: NoSecret for one that is needed and cannot be had.
 */
export function inject(vault: Vault, opened: readonly Opened[], host: string, { target, headers }: Head): Injected {
  const mine = opened.filter(({ placed }) => matchesHost(placed.hosts, host));
  const others = opened.filter((one) => !mine.includes(one));
  const [path = "", query] = cut(target, "?");
  const put = (text: string, write: (value: string, one: Opened) => string) => {
    let result = text;
    for (const one of mine) if (result.includes(one.placed.placeholder)) result = result.replaceAll(one.placed.placeholder, write(had(one), one));
    return result;
  };
  const newPath = put(path, inPath);
  const newQuery = query === undefined ? "" : `?${put(query, encodeURIComponent)}`;
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  return {
    target: newPath + newQuery,
    headers: headers.map(([name, value]) => [name, put(inBase64(vault, mine, value), String)]),
    body: bodySwaps(mine, type),
    stray: others.filter(({ placed }) => mentions({ target, headers }, placed.placeholder)),
  };
}

/** Whether a placeholder is in the head of a request, also inside of base64. */
export function mentions({ target, headers }: Head, placeholder: string): boolean {
  return (
    target.includes(placeholder) || headers.some(([, value]) => value.includes(placeholder) || decoded(value).some(({ text }) => text.includes(placeholder)))
  );
}

function had({ value }: Opened): string {
  if (value instanceof NoSecret) throw value;
  return value;
}

function inPath(value: string, { placed: { name, key } }: Opened): string {
  if (/^[A-Za-z0-9_~:.=+@-]+$/.test(value) && !value.includes("..")) return value;
  throw new NoSecret(`secret ${name}/${key} holds characters that have a meaning in a path: it can stand in a header, a query or a body`);
}

/** Long enough to hold a placeholder. */
const BASE64 = /[A-Za-z0-9+/_-]{32,}={0,2}/g;

function decoded(value: string): { run: string; url: boolean; text: string }[] {
  return [...value.matchAll(BASE64)].map(([run]) => ({ run, url: /[_-]/.test(run), text: Buffer.from(run, "base64").toString("latin1") }));
}

function inBase64(vault: Vault, mine: readonly Opened[], value: string): string {
  let result = value;
  for (const { run, url, text } of decoded(value)) {
    const swaps = mine.filter(({ placed }) => text.includes(placed.placeholder)).map((one) => swap(one, had(one)));
    if (swaps.length === 0) continue;
    const plain = Buffer.from(swapText(text, swaps), "latin1");
    const sent = url ? plain.toString("base64url") + (run.endsWith("=") ? "=".repeat((3 - (plain.length % 3)) % 3) : "") : plain.toString("base64");
    vault.learnForm(sent, run);
    result = result.replace(run, () => sent);
  }
  return result;
}

function bodySwaps(mine: readonly Opened[], type: string): Swap[] {
  const write = /^application\/x-www-form-urlencoded\b/i.test(type)
    ? encodeURIComponent
    : /^application\/([a-z0-9.+-]+\+)?json\b/i.test(type)
      ? inJson
      : String;
  return mine.flatMap((one) => (one.value instanceof NoSecret ? [] : [swap(one, write(one.value))]));
}

function swap({ placed }: Opened, value: string): Swap {
  return { find: Buffer.from(placed.placeholder), put: Buffer.from(value) };
}

function cut(text: string, at: string): [string, string | undefined] {
  const i = text.indexOf(at);
  return i < 0 ? [text, undefined] : [text.slice(0, i), text.slice(i + 1)];
}
