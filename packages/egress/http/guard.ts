import type { ViolationEvent } from "@plastron/contracts";
import { matchesHost } from "../rules/compiled.ts";
import type { Refusal, Sandbox } from "../sandbox.ts";
import { inject, mentions } from "../secrets/inject.ts";
import { NoSecret, Withheld } from "../secrets/read.ts";
import type { Swap } from "../secrets/swap.ts";
import type { Opened } from "../secrets/vault.ts";
import { carriesSecret } from "./mutate.ts";
import type { BodySwaps } from "./outgoing.ts";

/** A request as it goes on, with the secrets that it may have. */
export interface Guarded {
  target: string;
  headers: [string, string][];
  body: BodySwaps;
}

export interface Asking {
  sandbox: Sandbox;
  host: string;
  target: string;
  headers: [string, string][];
  event: ViolationEvent;
  secrets: string | null;
  /** Whether nobody on the way could read what is put in: TLS, or an address that the operator vouches for. */
  safe: boolean;
}

/**
 * Puts the sandbox's secrets into a request, for hosts of their grants alone, and records each placeholder that goes to another
 * host, as what it is: nothing but a placeholder. Errors: NoSecret.
 */
export async function guard({ sandbox, host, target, headers, event, secrets, safe }: Asking): Promise<Guarded> {
  const { vault } = sandbox;
  if (!vault.guards) return { target, headers, body: { swaps: [], onHit: () => {} } };
  const opened = await vault.open(secrets, sandbox.tenant);
  const mine = opened.filter(({ placed }) => matchesHost(placed.hosts, host));
  const clear = safe ? [] : mine;
  for (const { placed } of clear) if (mentions({ target, headers }, placed.placeholder)) throw withheld(sandbox, placed, event);
  const found = told(sandbox, event, () => inject(vault, safe ? opened : opened.filter((one) => !clear.includes(one)), host, { target, headers }));
  for (const { placed } of found.stray) sandbox.noteStray(placed, event);
  return {
    target: found.target,
    headers: lookable(found.headers, mine.length > 0 || carriesSecret(sandbox.rules, host)),
    body: body(sandbox, event, found.body, opened, mine, safe),
  };
}

/** A body is read as it goes by: what it may not have is found when its head has long gone on. */
function body(sandbox: Sandbox, event: ViolationEvent, swaps: readonly Swap[], opened: readonly Opened[], mine: readonly Opened[], safe: boolean): BodySwaps {
  const find = ({ placed }: Opened) => Buffer.from(placed.placeholder);
  const puts = new Set(swaps.map(({ find: placeholder }) => placeholder.toString()));
  const rest = opened.filter(({ placed }) => !puts.has(placed.placeholder));
  return {
    swaps: [...swaps, ...rest.map((one) => ({ find: find(one), put: find(one) }))],
    onHit({ find: placeholder }) {
      const one = rest.find(({ placed }) => placed.placeholder === placeholder.toString());
      if (!one) return;
      if (!mine.includes(one)) return sandbox.noteStray(one.placed, event);
      if (!safe) throw withheld(sandbox, one.placed, event);
      if (one.value instanceof NoSecret) throw missing(sandbox, one.value, event);
    },
  };
}

/** What is compressed, or only a part, could not be looked through for secrets. */
function lookable(headers: [string, string][], hasSecrets: boolean): [string, string][] {
  const gone = /^(accept-encoding|sec-websocket-extensions)$/i;
  const parts = /^(range|if-range)$/i;
  return [...headers.filter(([name]) => !gone.test(name) && !(hasSecrets && parts.test(name))), ["Accept-Encoding", "identity"]];
}

function told<T>(sandbox: Sandbox, event: ViolationEvent, what: () => T): T {
  try {
    return what();
  } catch (error) {
    throw error instanceof NoSecret ? missing(sandbox, error, event) : error;
  }
}

const rule = (path: string, why: string, hint: string): Refusal => ({ id: "secrets", path, why, hint });

function missing(sandbox: Sandbox, error: NoSecret, event: ViolationEvent): NoSecret {
  sandbox.recordRefusal(rule("secrets", error.message, error.message), event);
  return error;
}

function withheld(sandbox: Sandbox, { name, key }: { name: string; key: string }, event: ViolationEvent): Withheld {
  const why = `secret ${name}/${key} is not sent over clear HTTP, where everybody on the way could read it`;
  sandbox.recordRefusal(rule(`secrets.${name}/${key}`, why, "Use https:// for it."), event);
  return new Withheld(`${why}; use https://`);
}
