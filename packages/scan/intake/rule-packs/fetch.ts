import { PlastronError } from "@plastron/contracts";
import { MAX_BUNDLE_BYTES } from "../../rules/index.ts";

const LONGEST_MS = 60_000;

/**
 * Fetches a bundle of rules. Only `plastron rules add` and `update` come here: never a scan. Nothing is believed for where it came from,
 * as the signature says whose it is; so plain HTTP and redirects do no harm. Throws untrusted_rules for what is no answer, or too long.
 */
export async function fetchBundle(url: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    // Loaded here: no scan pays for it.
    const { EnvHttpProxyAgent, fetch } = await import("undici");
    const response = await fetch(url, { dispatcher: new EnvHttpProxyAgent(), signal: AbortSignal.timeout(LONGEST_MS), headers: { "user-agent": "plastron" } });
    if (response.status !== 200 || response.body === null) throw new PlastronError("untrusted_rules", `${shown(url)} answers ${response.status}`);
    for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > MAX_BUNDLE_BYTES) throw new PlastronError("untrusted_rules", `${shown(url)} gives more than ${MAX_BUNDLE_BYTES} bytes (too_large)`);
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof PlastronError) throw error;
    throw new PlastronError("untrusted_rules", `${shown(url)} cannot be fetched: ${causeOf(error)}`, { cause: error });
  }
  return Buffer.concat(parts).toString("utf8");
}

/** An address as it may be shown: without who asks. */
function shown(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
