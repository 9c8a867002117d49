import { PlastronError } from "@plastron/contracts";
import type { Intent, Order } from "../orders/order.ts";
import { mountLines } from "./apparmor-mount.ts";
import { networkLines } from "./apparmor-network.ts";
import { appArmorGlob } from "./apparmor-text.ts";
import type { BackendRow, Said } from "./said.ts";

/**
 * Orders → the text of an AppArmor profile (apparmor.d(5), parser 3 or newer): all is allowed that no order denies, since a
 * vArmor policy is a list of denials. Only tracing is kept within the profile, and profiles cannot be changed from inside.
 *
 * (deny, audit) is `audit deny`; deny alone is silent; audit alone lets it happen and logs it. `rows` has every order of which
 * AppArmor keeps less, more or nothing. `name` is the profile's: letters, digits, `.`, `_`, `-`. Throws PlastronError
 * invalid_request for another.
 */
export function appArmorProfile(name: string, orders: readonly Order[]): { text: string; rows: BackendRow[] } {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new PlastronError("invalid_request", "the name of an AppArmor profile has letters, digits, `.`, `_` and `-`, at most 100");
  }
  const lines = new Set<string>();
  const rows: BackendRow[] = [];
  for (const order of orders) {
    const qualifier = order.deny ? (order.audit ? "audit deny " : "deny ") : order.audit ? "audit " : null;
    if (qualifier === null) continue;
    const said = join(order.intents.map((intent) => linesOf(intent, order.deny)));
    for (const line of said.lines) lines.add(`${qualifier}${line}`);
    for (const note of new Set(said.notes)) rows.push({ rule: order.rule, note });
  }
  return { text: [HEAD, `profile "${name}" flags=(attach_disconnected, mediate_deleted) {`, ...written([...BASE, ...heard(lines)]), "}", ""].join("\n"), rows };
}

/** Features newer than this ABI (user namespaces, io_uring) are left to the kernel's own rules, whichever kernel loads it. */
const HEAD = "abi <abi/3.0>,\n";

const BASE: readonly string[] = ["file", "network", "capability", "signal", "unix", "dbus", "mount", "umount", "pivot_root", "ptrace peer=@{profile_name}"];

const written = (lines: readonly string[]): string[] => lines.map((line) => `  ${line},`);

/** A silent denial would silence the same one that is to be logged. */
const heard = (lines: ReadonlySet<string>): string[] => [...lines].filter((line) => !lines.has(`audit ${line}`) || !line.startsWith("deny "));

const join = (parts: Said[]): Said => ({ lines: parts.flatMap(({ lines }) => lines), notes: parts.flatMap(({ notes }) => notes) });

function linesOf(intent: Intent, deny: boolean): Said {
  switch (intent.kind) {
    case "file":
      return fileLines(intent, deny);
    case "file-list":
      return { lines: [], notes: ["it is a list of what is allowed, as the profile that it was read from: give that one to AppArmor"] };
    case "capability":
      return capabilityLines(intent.names);
    case "socket":
      return networkLines(intent);
    case "connect":
      return { lines: [], notes: ["AppArmor does not look at addresses: the BPF LSM, cgroup hooks or an egress proxy do"] };
    case "mount":
      return mountLines(intent);
    case "ptrace":
      return ptraceLines(intent);
    case "syscall":
      return { lines: [], notes: ["AppArmor does not see system calls: the seccomp profile has this rule"] };
  }
}

/**
 * A program that may not be executed may not be read or mapped either, or `cp` makes one of another name and the dynamic loader
 * runs it as its argument. `write` is w (which creates, deletes, renames, truncates and changes modes) and l (hard links to it).
 */
function fileLines({ glob, permissions }: Extract<Intent, { kind: "file" }>, deny: boolean): Said {
  const has = (permission: (typeof permissions)[number]) => permissions.includes(permission);
  const mode = [
    has("exec") ? "m" : "",
    has("read") || (has("exec") && deny) ? "r" : "",
    has("write") ? "wl" : has("append") ? "a" : "",
    has("exec") ? (deny ? "x" : "ix") : "",
  ].join("");
  try {
    return { lines: [`${appArmorGlob(glob, true)} ${mode}`], notes: [...(has("exec") ? [OF_SCRIPTS] : []), ...(glob.endsWith(".sock") ? [OF_SOCKETS] : [])] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { lines: [], notes: [`${error.message}: nothing is matched`] };
  }
}

const OF_SCRIPTS = "an interpreter that the kernel starts for the first line of a script (`#!`) is not asked for: the BPF LSM sees it";
const OF_SOCKETS = "connecting to a socket's file is looked at by some distributions' kernels only (Ubuntu's, not Debian 12's): the BPF LSM sees it";

function capabilityLines(names: readonly string[]): Said {
  const known = names.filter((name) => CAPABILITIES.has(name));
  const unknown = names.filter((name) => !CAPABILITIES.has(name)).map((name) => `AppArmor has no capability ${JSON.stringify(name.slice(0, 40))}`);
  return { lines: known.map((name) => `capability ${name}`), notes: unknown };
}

/** Outside of the profile there is nothing to trace in the first place (`BASE`). */
function ptraceLines({ permissions, strict }: Extract<Intent, { kind: "ptrace" }>): Said {
  if (!strict) return { lines: [], notes: [] };
  const words = permissions.map((permission) => ({ trace: "trace", read: "read", traceby: "tracedby", readby: "readby" })[permission]);
  return { lines: [`ptrace (${words.join(", ")})`], notes: ["a process may always look at itself"] };
}

const CAPABILITIES = new Set(
  (
    "chown dac_override dac_read_search fowner fsetid kill setgid setuid setpcap linux_immutable net_bind_service net_broadcast net_admin net_raw " +
    "ipc_lock ipc_owner sys_module sys_rawio sys_chroot sys_ptrace sys_pacct sys_admin sys_boot sys_nice sys_resource sys_time sys_tty_config mknod lease " +
    "audit_write audit_control setfcap mac_override mac_admin syslog wake_alarm block_suspend audit_read perfmon bpf checkpoint_restore"
  ).split(" "),
);
