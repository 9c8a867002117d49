import type { Violation } from "@plastron/contracts";
import { printable, truncate } from "../terminal/width.ts";

/** The longest text of a program that one line shows. */
const LONGEST = 120;
/** Nobody forbade it: the host's nameservers know no address for the name (packages/egress/rules/route.ts). */
const UNKNOWN_NAME = "egress/unknown-name";
const VERBS: Record<Violation["action"], string> = { DENIED: "denied", AUDIT: "let through and recorded", ALLOWED: "allowed" };

/** What happened, on one line: `denied: run /bin/sh`. All names in it were chosen by the program. */
export function describeViolation(violation: Violation): string {
  const verb = violation.rule_id === UNKNOWN_NAME ? "not reached" : VERBS[violation.action];
  return `${verb}: ${shown(describeEvent(violation.event))}`;
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
      return describeWay(event);
    case "Ptrace":
      return `${event.permissions.join(", ")} another process`;
    case "Mount":
      return describeMount(event);
    case "Syscall":
      return `call ${event.syscall}`;
  }
}

/** Only a request has a method; else a name was looked up or connected to. */
function describeWay({ method, host, port, path }: Extract<Violation["event"], { type: "http" }>): string {
  if (method !== "") return `${method} ${port === 443 ? "https" : "http"}://${host}${port === 443 || port === 80 ? "" : `:${port}`}${path}`;
  return port === 53 ? `look up ${host}` : `connect to ${host}:${port}`;
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
