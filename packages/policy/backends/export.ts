import { createHash } from "node:crypto";
import type { Order } from "../orders/order.ts";
import { appArmorProfile } from "./apparmor.ts";
import { bpfLsmTables } from "./bpf-lsm.ts";
import { ociSeccomp } from "./oci-seccomp.ts";
import type { BackendRow } from "./said.ts";

export const EXPORT_KINDS = ["apparmor", "bpf-lsm", "seccomp-oci"] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

export interface Exported {
  /** What to write to a file: text, or the bytes of a table file. */
  content: string | Uint8Array;
  /** A name for that file. */
  file: string;
  /** What this form keeps less, more or nothing of: the operator must know before he relies on it. */
  rows: BackendRow[];
  /** `bpf-lsm` alone: what the `rule` numbers in the loader's records mean. */
  rules?: readonly { rule: string; path: string }[];
}

/**
 * A compiled policy in a form that another enforcer loads: an AppArmor profile (`apparmor_parser -r FILE`), tables for
 * `plastron-lsm`, or a seccomp profile for any OCI runtime. Compile with a host that is `permissive`, or the floor that lies under
 * every sandbox of Plastron's own is exported with it.
 */
export function exportPolicy({ orders, confinement }: { orders: readonly Order[]; confinement: { policy: string } }, kind: ExportKind): Exported {
  const name = exportName(confinement.policy);
  switch (kind) {
    case "apparmor": {
      const { text, rows } = appArmorProfile(name, orders);
      return { content: text, file: name, rows };
    }
    case "bpf-lsm": {
      const { tables, rules, rows } = bpfLsmTables(orders);
      return { content: tables, file: `${name}.lsm`, rows, rules };
    }
    case "seccomp-oci": {
      const { profile, rows } = ociSeccomp(orders);
      return { content: `${JSON.stringify(profile, null, 2)}\n`, file: `${name}.json`, rows };
    }
  }
}

/** What a policy may be called is more than a profile may: other characters become `-`, and a part of a hash keeps two apart. */
function exportName(policy: string): string {
  const plain = policy.replace(/[^A-Za-z0-9._-]/g, "-").slice(0, 60);
  const suffix = plain === policy ? "" : `-${createHash("sha256").update(policy).digest("hex").slice(0, 8)}`;
  return `plastron-${plain}${suffix}`;
}
