import { matchesHost, type Rules } from "../rules/compiled.ts";
import { readSecret } from "./secrets.ts";

/** Sets the headers that the policy names for this name; what the program sent under those names is gone. */
export async function mutate(rules: Rules, name: string, headers: [string, string][], secrets: string | null): Promise<[string, string][]> {
  let result = headers;
  for (const mutation of rules.network.mitm.mutations) {
    if (!matchesHost([mutation.domain], name)) continue;
    for (const header of mutation.headers) {
      const value = header.secret ? await readSecret(secrets, header.secret) : (header.value ?? "");
      result = [...result.filter(([other]) => other.toLowerCase() !== header.name.toLowerCase()), [header.name, value]];
    }
  }
  return result;
}
