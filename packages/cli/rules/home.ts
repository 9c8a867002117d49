import { join } from "node:path";
import { packFolders } from "@plastron/scan";
import { resolveHome } from "../lifecycle/home.ts";

/** Where this installation keeps packs of rules: a scan and `plastron rules` must mean the same place. */
export function rulesDirectory(home: string | undefined): string {
  return join(resolveHome(home).root, "rules");
}

/** Folders of rules that a scan reads beside our own. Throws untrusted_rules where a pack does not hold: a scan without it is not what was asked for. */
export function addedRules(): string[] {
  return packFolders(rulesDirectory(undefined), new Date());
}
