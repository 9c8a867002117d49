import type { GuestFile } from "./archive.ts";
import { guestTool } from "./guest.ts";

const LOADER = { x64: ["/lib64/ld-linux-x86-64.so.2"], arm64: ["/lib/ld-linux-aarch64.so.1"] }[process.arch as "x64"] ?? [];
const LIBRARIES = [...LOADER, `/lib/${process.arch === "arm64" ? "aarch64" : "x86_64"}-linux-gnu/libc.so.6`];

/** What `load` below needs in the guest. */
export const apparmorFiles = (profiles: Record<string, string>): GuestFile[] => [
  { path: "/sbin/apparmor_parser", from: guestTool("apparmor_parser") },
  { path: "/etc/apparmor/parser.conf", content: "" },
  { path: "/etc/apparmor.d/abi/3.0", from: guestTool("apparmor.d/abi/3.0") },
  ...LIBRARIES.map((path) => ({ path, from: path })),
  ...Object.entries(profiles).map(([name, text]) => ({ path: `/profiles/${name}`, content: text })),
];

/** `load NAME` gives a profile to the kernel; `logged` is what AppArmor said since the boot. */
export const APPARMOR = `
load() { apparmor_parser -r -K /profiles/$1; }
logged() { dmesg | grep 'apparmor="'; }
`;
