import type { HostFacts } from "@plastron/contracts";
import type { Intent } from "../../orders/order.ts";
import type { Measure } from "../measure.ts";
import { canWatch } from "../part.ts";
import { isMoving } from "../places.ts";

type List = Extract<Intent, { kind: "file-list" }>;

const NO_LISTENER = "a list of files needs seccomp user notification (Linux 5.9, local driver); nothing of it is enforced here";

/** A list of all that may be done to files: the listener refuses what is not on it, and for programs the kernel itself. */
export function listMeasure({ permissions, allowed }: List, host: HostFacts): Measure {
  if (!canWatch(host)) return { claim: { fidelity: "unsupported", mechanism: "none", note: NO_LISTENER, self_tests: [] } };
  if (!permissions.includes("exec")) return { claim: { fidelity: "approximate", mechanism: OPENING, note: METADATA, self_tests: [] } };
  const programs = allowed.filter((entry) => entry.permissions.includes("exec")).map(({ glob }) => glob);
  const own = programs.some(isMoving);
  if (host.landlock_abi < 1) return { claim: { fidelity: "approximate", mechanism: EXECUTING, note: RACE, self_tests: [] } };
  return {
    demands: { executables: programs, noexec_writable: !own },
    claim: { fidelity: own ? "approximate" : "stricter", mechanism: `${EXECUTING}, and Landlock again`, note: own ? OWN_PROGRAMS : STARTED, self_tests: [] },
  };
}

const OPENING = "a listener opens and changes files in the program's stead, and refuses what the list does not give";
const METADATA =
  "that a file is there, its size and its times can still be asked for, and the name of a unix socket be made; what the platform's own worker opens before the program is not asked about";
const EXECUTING = "a listener refuses programs that the list does not name";
const RACE = "a program that changes the path while it is looked at gets past: this kernel has no Landlock";
const OWN_PROGRAMS =
  "the list names programs in writable places: there the listener alone decides, and a program that changes the path while it is looked at gets past";
const STARTED = "nothing in a writable place runs; the run's own interpreter, and the loader of libraries, always do";
