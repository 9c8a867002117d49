import type { Confinement, HostFacts } from "@plastron/contracts";
import { confine } from "./confine.ts";

export function compileDefault(host: HostFacts): Confinement {
  return confine("default", 2, { denials: [], hidden: [], forbidden_programs: [], noexec_writable: false }, host.arch);
}
