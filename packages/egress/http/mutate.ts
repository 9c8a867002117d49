import { matchesHost } from "../rules/compiled.ts";
import type { Sandbox } from "../sandbox.ts";
import { readSecret } from "../secrets/read.ts";

/**
 * Sets the headers that the policy names for this name, with secrets of the sandbox's own tenant; what the program sent under
 * those names is gone. Errors: NoSecret.
 */
export async function mutate(
  { rules, tenant, vault }: Pick<Sandbox, "rules" | "tenant" | "vault">,
  name: string,
  headers: [string, string][],
  secrets: string | null,
): Promise<[string, string][]> {
  let result = headers;
  for (const mutation of rules.network.mitm.mutations) {
    if (!matchesHost([mutation.domain], name)) continue;
    for (const header of mutation.headers) {
      const value = header.secret ? await readSecret(secrets, tenant, header.secret) : (header.value ?? "");
      if (header.secret) vault.learn(credentialOf(value), `[secret ${header.secret.name}/${header.secret.key}]`);
      result = [...result.filter(([other]) => other.toLowerCase() !== header.name.toLowerCase()), [header.name, value]];
    }
  }
  return result;
}

/** Of `Bearer abc` what must not come back is `abc`, in whatever company. */
function credentialOf(value: string): string {
  return /^[A-Za-z][A-Za-z0-9-]* +(\S+)$/.exec(value)?.[1] ?? value;
}

/** Whether the policy puts a secret into requests to this name. */
export function carriesSecret({ network }: Sandbox["rules"], name: string): boolean {
  return network.mitm.mutations.some(({ domain, headers }) => matchesHost([domain], name) && headers.some(({ secret }) => secret !== null));
}
