import type { GuestFile } from "./archive.ts";
import { guestTool } from "./guest.ts";

const LOADER = { x64: ["/lib64/ld-linux-x86-64.so.2"], arm64: ["/lib/ld-linux-aarch64.so.1"] }[process.arch as "x64"] ?? [];
const LIBRARIES = [...LOADER, `/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/libc.so.6`];

/** What `load` and `under` below need in the guest. */
export const apparmorFiles = (profiles: Record<string, string>): GuestFile[] => [
  { path: "/sbin/apparmor_parser", from: guestTool("apparmor_parser") },
  { path: "/etc/apparmor/parser.conf", content: "" },
  { path: "/etc/apparmor.d/abi/3.0", from: guestTool("apparmor.d/abi/3.0") },
  ...LIBRARIES.map((path) => ({ path, from: path })),
  ...Object.entries(profiles).map(([name, text]) => ({ path: `/profiles/${name}`, content: text })),
];

/** `load NAME` gives the profile to the kernel; `under NAME COMMAND` runs a shell command under it, and `unconfined` is none. */
export const APPARMOR = `
load() { apparmor_parser -r -K /profiles/$1; }
under() { { [ "$1" = unconfined ] || echo "exec $1" >/proc/self/attr/apparmor/exec; } && exec busybox sh -c "$2"; }
logged() { dmesg | grep 'apparmor="'; }
`;
