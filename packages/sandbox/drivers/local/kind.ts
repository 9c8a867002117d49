import type { Confinement, RunSpec } from "@plastron/contracts";
import { looksAtPaths } from "./watch.ts";

/** What says which sandboxes may serve a run. */
export type Asked = Pick<RunSpec, "runtime" | "confinement" | "imports" | "limits"> & { image?: RunSpec["image"] };

/** What two runs must have in common to use the same warm sandbox. Other limits are set when the run begins. */
export function kindKey({ runtime, confinement, imports, limits, image }: Asked): string {
  return [runtime, image ?? "", confinement.id, JSON.stringify(confinement.weak), imports.join(","), limits.workspace_bytes, limits.open_files].join("|");
}

/**
 * A broker reads the program's memory as the owner of its user namespace, which it is not of a zygote's child; and a zygote has
 * given up the capabilities that a program could keep.
 */
export const ownProcessOnly = ({ watch, capabilities }: Confinement): boolean => looksAtPaths(watch) || capabilities.length > 0;
