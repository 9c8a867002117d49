import { matchesHost } from "../rules/compiled.ts";
import type { Sandbox } from "../sandbox.ts";
import { readSecret } from "../secrets/read.ts";

/**
 * Sets the headers that the policy names for this name, with secrets of the sandbox's own tenant; what the program sent under
 * those names is gone. Errors: NoSecret.
 */
export async function mutate(
  { rules, tenant }: Pick<Sandbox, "rules" | "tenant">,
  name: string,
  headers: [string, string][],
  secrets: string | null,
): Promise<[string, string][]> {
  let result = headers;
  for (const mutation of rules.network.mitm.mutations) {
    if (!matchesHost([mutation.domain], name)) continue;
    for (const header of mutation.headers) {
      const value = header.secret ? await readSecret(secrets, tenant, header.secret) : (header.value ?? "");
      result = [...result.filter(([other]) => other.toLowerCase() !== header.name.toLowerCase()), [header.name, value]];
    }
  }
  return result;
}
