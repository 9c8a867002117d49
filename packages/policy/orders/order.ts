import type { Enforcer } from "@plastron/contracts";
import type { Entry } from "../seccomp/profile.ts";

/**
 * What a rule means, before anything is said about how it is enforced. Built-in rules (`rules/`) and raw rules (`raw/`) become
 * the same orders; `lower/` makes a confinement of them, `backends/` AppArmor text and tables for the BPF LSM.
 */
export interface Order {
  /** `disable-shell`, or the field of a raw rule: `bpfRawRules.files[0]`. What violations and fidelity rows name. */
  rule: string;
  /** Where it stands: `spec.policy.enhanceProtect.bpfRawRules.files[0]`. */
  path: string;
  enforcer: Enforcer;
  /** Neither: the rule has no effect. `audit` without `deny`: the call passes and is recorded. */
  deny: boolean;
  audit: boolean;
  intents: readonly Intent[];
  /** In words for the fidelity row: where the reading of the rule is stricter than upstream's, or leaves a part of it out. */
  notes?: readonly string[];
}

export type Permission = "read" | "write" | "append" | "exec";

/** Files of a list, and what may be done to them. `write` gives `append` too. */
export interface Listed {
  glob: string;
  permissions: readonly Permission[];
}

/** Inclusive. */
export type PortRange = readonly [first: number, last: number];

export type Intent =
  /** `glob` as in contracts/watch.ts, always absolute. `write` covers every change of the file or of its directory entry. */
  | { kind: "file"; glob: string; permissions: readonly Permission[] }
  /** A list of all that may be done: what asks for one of `permissions` of a file for which no entry gives it. */
  | { kind: "file-list"; permissions: readonly Permission[]; allowed: readonly Listed[] }
  /** Lower case without `cap_`. */
  | { kind: "capability"; names: readonly string[] }
  /** All lists that are not empty must match (AND); numbers as in socket(2), the type without its flags. */
  | { kind: "socket"; families: readonly number[]; types: readonly number[]; protocols: readonly number[] }
  /**
   * `cidr` null: every address. No ports: every port. Holds for connect, unconnected UDP, mapped addresses; on loopback for 0.0.0.0
   * and :: too, which reach it, unless `unspecified` is false.
   */
  | { kind: "connect"; cidr: string | null; ports: readonly PortRange[]; unspecified?: boolean | undefined }
  /** `fstype` `*`: any; `none` for calls without one. `source` is a glob. */
  | { kind: "mount"; source: string; fstype: string; flags: readonly MountFlag[] }
  /** `strict` false: only across the border of the sandbox. */
  | { kind: "ptrace"; permissions: readonly ("trace" | "read" | "traceby" | "readby")[]; strict: boolean }
  /** System calls as they are. Their verdict says what happens where the order denies; observe-only passes them. */
  | { kind: "syscall"; entries: readonly Entry[] };

/** What upstream calls them; `new` is a mount of a new file system, without any of the others. */
export type MountFlag = "new" | "bind" | "rec" | "remount" | "move" | "umount" | "private" | "slave" | "shared" | "unbindable";
