import { hash, verify } from "@node-rs/argon2";
import { PlastronError } from "@plastron/contracts";
import { FailedAttempts } from "./attempts.ts";
import { OPERATOR_TENANT, type Principal, type Scope } from "./principal.ts";
import type { KeyRow, KeyStore } from "./store.ts";
import { claimedId, fingerprint, makeToken } from "./token.ts";
import { VerifiedKeys } from "./verified-keys.ts";

/** argon2id with OWASP's first choice for servers (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
const LONGEST_TOKEN = 512;

export interface CreatedKey {
  id: string;
  tenant: string;
  name: string;
  scopes: Scope[];
  created_at: Date;
  project: string | null;
  /** The token. It is shown this once: only its argon2id hash is kept. */
  key: string;
}

/** API keys: who a request is from. */
export class AuthService {
  readonly #store: KeyStore;
  readonly #verified: VerifiedKeys;
  readonly #attempts: FailedAttempts;
  readonly #checking = new Map<string, Promise<Principal>>();
  #decoy: Promise<string> | undefined;

  constructor(store: KeyStore, verified = new VerifiedKeys(), attempts = new FailedAttempts()) {
    this.#store = store;
    this.#verified = verified;
    this.#attempts = attempts;
  }

  /** The principal of a token, without waiting where it is known: this is on the path of every run. */
  remembered(token: string): Principal | undefined {
    const known = this.#verified.get(fingerprint(token), Date.now());
    return known !== undefined && !known.stale ? known.principal : undefined;
  }

  /** @throws PlastronError unauthorized (in the same words and time for every reason), rate_limited */
  async authenticate(token: string, address: string): Promise<Principal> {
    if (token.length > LONGEST_TOKEN) throw unauthorized();
    const name = fingerprint(token);
    const known = this.#verified.get(name, Date.now());
    if (known && (!known.stale || (await this.#stillValid(known.principal.key)))) {
      if (known.stale) this.#verified.put(name, known.principal, Date.now());
      return known.principal;
    }
    // Many first requests with one key at once, as after a restart, are one check.
    const running = this.#checking.get(name) ?? this.#check(token, name, address);
    this.#checking.set(name, running);
    return running.finally(() => this.#checking.delete(name));
  }

  async create(tenant: string, name: string, scopes: Scope[], project: string | null = null): Promise<CreatedKey> {
    const { id, token } = makeToken();
    const created_at = await this.#store.insert({ id, tenant, name, scopes, hash: await hash(token, ARGON2), preset: false, project });
    return { id, tenant, name, scopes, created_at, project, key: token };
  }

  list(tenant: string): Promise<KeyRow[]> {
    return this.#store.list(tenant);
  }

  /** @throws PlastronError not_found */
  async revoke(tenant: string, id: string): Promise<void> {
    if (!(await this.#store.revoke(tenant, id))) throw new PlastronError("not_found", "There is no such key");
    this.#verified.forget(id);
  }

  /** Makes a key of the environment valid, in the operator's tenant. Its form is free: users bring what they have. */
  async preset(id: string, token: string, scopes: Scope[]): Promise<void> {
    const before = await this.#store.byId(id);
    if (before && before.revoked_at === null && (await verify(before.hash, token))) return;
    await this.#store.putPreset({ id, tenant: OPERATOR_TENANT, name: "preset by the environment", scopes, hash: await hash(token, ARGON2), project: null });
  }

  /** The very first admin key, or undefined where there is one. */
  async firstAdminKey(): Promise<CreatedKey | undefined> {
    if (await this.#store.hasAdmin(OPERATOR_TENANT)) return undefined;
    return this.create(OPERATOR_TENANT, "first admin key", ["admin"]);
  }

  async #check(token: string, name: string, address: string): Promise<Principal> {
    let row: KeyRow | undefined;
    await this.#attempts.guard(address, async () => {
      row = await this.#match(token);
      return row !== undefined;
    });
    if (row === undefined) throw unauthorized();
    const principal: Principal = { key: row.id, tenant: row.tenant, scopes: row.scopes, project: row.project };
    this.#verified.put(name, principal, Date.now());
    return principal;
  }

  /** An unknown id costs as much as a wrong secret, so that time does not tell which ids exist. */
  async #match(token: string): Promise<KeyRow | undefined> {
    const id = claimedId(token);
    const claimed = id === undefined ? undefined : await this.#store.byId(id);
    if (claimed) return (await verify(claimed.hash, token)) && claimed.revoked_at === null ? claimed : undefined;
    const presets = await this.#store.presets();
    for (const preset of presets) if (await verify(preset.hash, token)) return preset;
    this.#decoy ??= hash("no key has this value", ARGON2);
    if (presets.length === 0) await verify(await this.#decoy, token);
    return undefined;
  }

  async #stillValid(id: string): Promise<boolean> {
    const row = await this.#store.byId(id);
    if (row !== undefined && row.revoked_at === null) return true;
    this.#verified.forget(id);
    return false;
  }
}

function unauthorized(): PlastronError {
  return new PlastronError("unauthorized", "The request has no valid API key");
}
