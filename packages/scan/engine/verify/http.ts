import { requestFor, type SecretVerifier, stateOf, type VerifierSpec } from "../../secrets/index.ts";

export interface HttpVerifierOptions {
  readonly timeoutMs?: number;
  /** At most so many requests in all, so that nobody's repository makes us ask for ever. */
  readonly requests?: number;
  /** Host → another origin: for tests, which put a server of their own in a provider's place. */
  readonly origins?: ReadonlyMap<string, string>;
  readonly signal?: AbortSignal | undefined;
}

const BODY_MOST = 65_536;

/**
 * Asks providers over HTTPS. A secret goes to the host that stands in its verifier and to no other: redirects are not followed, and no request is made
 * twice for one secret. What times out, or answers otherwise than foreseen, is unverified.
 */
export function httpVerifier(specs: ReadonlyMap<string, VerifierSpec>, options: HttpVerifierOptions = {}): SecretVerifier {
  const known = new Map<string, ReturnType<SecretVerifier["verify"]>>();
  let left = options.requests ?? 500;
  return {
    verify(name, secret) {
      const spec = specs.get(name);
      const key = `${name}\0${secret}`;
      const before = known.get(key);
      if (before) return before;
      if (spec === undefined || left-- <= 0) return Promise.resolve("unverified");
      const asked = ask(spec, secret, options);
      known.set(key, asked);
      return asked;
    },
  };
}

async function ask(spec: VerifierSpec, secret: string, { timeoutMs = 8000, origins, signal }: HttpVerifierOptions): ReturnType<SecretVerifier["verify"]> {
  const request = requestFor(spec, secret);
  if (request === null) return "unverified";
  const { method, headers, body, url } = request;
  const origin = origins?.get(url.hostname);
  const target = origin === undefined ? url : new URL(url.pathname + url.search, origin);
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(target, { method, headers, body, redirect: "manual", signal: signal ? AbortSignal.any([signal, late]) : late });
    return stateOf(spec, answer.status, await beginning(answer));
  } catch {
    // What went wrong may name the request, and so the secret: it is not told.
    return "unverified";
  }
}

async function beginning(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    parts.push(chunk);
    size += chunk.length;
    if (size >= BODY_MOST) break;
  }
  return Buffer.concat(parts).subarray(0, BODY_MOST).toString("utf8");
}
