import { statSync } from "node:fs";
import { Failure } from "../failure.ts";
import { type Home, readJson } from "../lifecycle/home.ts";

/** Where the server is and who we are. */
export interface Connection {
  url: string;
  key: string;
}

/**
 * PLASTRON_URL and PLASTRON_API_KEY, each of which goes before what `up` left in HOME/cli.json for the local user.
 * The local key is sent to the local server only: with another PLASTRON_URL a key must be named too.
 * Throws Failure not_running or unauthorized, with what to do.
 */
export function findConnection(home: Home, env: NodeJS.ProcessEnv = process.env): Connection {
  const local = readLocal(home);
  const url = env.PLASTRON_URL ? parseUrl(env.PLASTRON_URL) : local?.url;
  if (url === undefined) throw notConfigured(home);
  const key = env.PLASTRON_API_KEY || (url === local?.url ? local.key : undefined);
  if (!key) throw new Failure("unauthorized", `there is no API key for ${url}`, { hint: "Set PLASTRON_API_KEY." });
  return { url, key };
}

function readLocal(home: Home): { url: string; key: string | undefined } | null {
  const value = readJson(home.cli) as { url?: unknown; key?: unknown } | null;
  if (typeof value?.url !== "string") return null;
  return { url: value.url, key: typeof value.key === "string" ? value.key : undefined };
}

function notConfigured(home: Home): Failure {
  if (exists(home.cli)) {
    return new Failure("unauthorized", `${home.cli} belongs to another user`, {
      hint: "Set PLASTRON_URL and PLASTRON_API_KEY, or run this as the user who ran `plastron up`.",
    });
  }
  return new Failure("not_running", `no server was ever started on ${home.root}`, {
    hint: "`plastron up` starts one; or set PLASTRON_URL and PLASTRON_API_KEY.",
  });
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new Failure("invalid_request", `PLASTRON_URL is not an http or https address: ${text}`, { hint: "For example http://127.0.0.1:7300" });
  }
  return url.href.replace(/\/+$/, "");
}

function exists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES";
  }
}
