import { resolveHome } from "../lifecycle/home.ts";

/** Where this installation keeps its advisories: a scan and `plastron advisories` must mean the same place. */
export function advisoriesDirectory(home: string | undefined): string {
  return resolveHome(home).advisories;
}
