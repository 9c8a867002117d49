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
      return ["mount", event.type, event.path && `on ${event.path}`, event.flags.length > 0 && `(${event.flags.join(", ")})`].filter(Boolean).join(" ");
    case "Syscall":
      return `call ${event.syscall}`;
  }
}

export function shown(text: string): string {
  return truncate(printable(text), LONGEST);
}
