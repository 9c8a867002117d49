import { appArmorGlob } from "../backends/apparmor-text.ts";
import type { BehaviorProfile, ProfiledFile } from "../modelling/profile.ts";
import type { Permission } from "../orders/order.ts";
import { CAPABILITIES } from "../raw/capabilities.ts";
import { DOMAINS, TYPES } from "../raw/socket-names.ts";

/**
 * A profile as AppArmor text that allows what was seen and nothing else. Paths come out of the program: each is one quoted word
 * whatever is in it. Refusals that were seen too are refused in silence: they are no news.
 */
export function learnedAppArmor(
  profile: Pick<BehaviorProfile, "capabilities" | "sockets" | "refused" | "refused_sockets">,
  files: readonly ProfiledFile[],
): string {
  const lines = [
    ...new Set([
      ...profile.capabilities.filter((name) => CAPABILITIES.includes(name)).map((name) => `capability ${name}`),
      ...profile.sockets.flatMap(networkLine),
      ...profile.refused_sockets
        .filter((family) => Object.hasOwn(DOMAINS, family) && !profile.sockets.some((seen) => word(seen.family) === family))
        .map((family) => `deny network ${family}`),
      ...files.flatMap(({ path, permissions }) => fileLine(path, permissions)),
      ...profile.refused
        .filter(({ path }) => !files.some((file) => file.path === path))
        .flatMap(({ path, permissions }) => fileLine(path, permissions).map((line) => `deny ${line}`)),
    ]),
  ];
  return ["abi <abi/3.0>,", "", "profile learned flags=(attach_disconnected, mediate_deleted) {", ...lines.map((line) => `  ${line},`), "}", ""].join("\n");
}

function fileLine(path: string, permissions: readonly Permission[]): string[] {
  const has = (permission: Permission): boolean => permissions.includes(permission);
  const letters = [has("read") ? "r" : "", has("write") || has("append") ? "w" : "", has("exec") ? "ix" : ""].join("");
  return letters === "" ? [] : [`${appArmorGlob(path, false)} ${letters}`];
}

const word = (text: string): string => text.toLowerCase().replace(/^(af_|sock_|ipproto_)/, "");

function networkLine({ family, type }: BehaviorProfile["sockets"][number]): string[] {
  const [domain, kind] = [word(family), word(type)];
  if (!Object.hasOwn(DOMAINS, domain) || domain === "unix") return [];
  return [`network ${domain}${Object.hasOwn(TYPES, kind) ? ` ${kind}` : ""}`];
}
