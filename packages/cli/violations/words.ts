import type { Violation } from "@plastron/contracts";
import { printable, truncate } from "../terminal/width.ts";

/** The longest text of a program that one line shows. */
const LONGEST = 120;
const VERBS: Record<Violation["action"], string> = { DENIED: "denied", AUDIT: "let through and recorded", ALLOWED: "allowed" };

/** What happened, on one line: `denied: run /bin/sh`. All names in it were chosen by the program. */
export function describeViolation(violation: Violation): string {
  return `${VERBS[violation.action]}: ${shown(describeEvent(violation.event))}`;
}

/** `run /bin/sh`, as the program chose its words: to be shown through `shown`. */
export function describeEvent(event: Violation["event"]): string {
  switch (event.operation) {
    case "Capability":
      return `use the capability ${event.capability}`;
    case "File":
      return `${event.permissions.join(", ")} ${event.path}`;
    case "Bprm":
      return `run ${event.path}`;
    case "Network":
      if (event.type === "socket") return `open a socket ${[event.domain, event.socketType, event.protocol].filter(Boolean).join(" ")}`;
      if (event.type === "connect") return `connect to ${event.ip.includes(":") ? `[${event.ip}]` : event.ip}:${event.port}`;
      return `${event.method} http://${event.host}:${event.port}${event.path}`;
    case "Ptrace":
      return `${event.permissions.join(", ")} another process`;
    case "Mount":
      return describeMount(event);
    case "Syscall":
      return `call ${event.syscall}`;
  }
}

/** The path is what is mounted, or unmounted. */
function describeMount({ path, type, flags }: Extract<Violation["event"], { operation: "Mount" }>): string {
  if (flags.includes("umount")) return `unmount ${path}`.trimEnd();
  const from = path !== "" && type !== "" ? `from ${path}` : path;
  return ["mount", type, from, flags.length > 0 && `(${flags.join(", ")})`].filter(Boolean).join(" ");
}

export function shown(text: string): string {
  return truncate(printable(text), LONGEST);
}
