import type { FidelityRow } from "@plastron/contracts";
import type { Part } from "./part.ts";
import type { Standing } from "./standing.ts";

/**
 * The row of a rule, for a sandbox that may mount: there a program gives a file another path (mount --bind, open_tree) and brings
 * a writable place that is not noexec, so what goes by paths or by mount options is no wall. Masks stay: the kernel locks them.
 */
export function mountable(row: FidelityRow, { order, watched, demands }: Part, { lifted, capabilities }: Standing): FidelityRow {
  if (!lifted.includes("mounts") || !capabilities.includes("sys_admin")) return row;
  if (row.fidelity === "unsupported" || row.fidelity === "approximate") return row;
  const heard = !order.deny && order.intents.some(({ kind }) => kind === "file");
  const executing = [demands.unexecutable, demands.forbidden_programs].some((paths) => paths && paths.length > 0) || demands.noexec_writable === true;
  if (!heard && !executing && watched.length === 0) return row;
  const note = [row.note, "the policy lets programs mount, and what is mounted elsewhere goes by another path"].filter((part) => part !== "").join("; ");
  return { ...row, fidelity: "approximate", note };
}
