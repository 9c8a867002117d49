import type { Confinement, FidelityRow, HostFacts } from "@plastron/contracts";
import { confine } from "./confine.ts";

export function compileDefault(host: HostFacts): { confinement: Confinement; fidelity: FidelityRow[] } {
  return { confinement: confine("default", 2, { denials: [], hidden: [], forbidden_programs: [], noexec_writable: false }, host.arch), fidelity: [] };
}
