import { ENFORCERS } from "../enforcers.ts";
import { PERMISSIONS } from "../files.ts";
import { KINDS, OPTIONS } from "../mounts.ts";
import { PTRACE } from "../ptrace.ts";
import { DOMAINS, PROTOCOLS, TYPES } from "../socket-names.ts";
import { ACTIONS, OPERATORS } from "../syscalls.ts";

/** The table of words in docs/reference/policy.md, from the readers themselves. */
export function wordTable(): string {
  const rows: [string, readonly string[]][] = [
    ["`enforcer`, any mixture", ENFORCERS],
    ["`files[]`, `processes[]`: `permissions`", Object.keys(PERMISSIONS)],
    ["`sockets[]`: `domains`", ["all", "*", ...Object.keys(DOMAINS)]],
    ["`sockets[]`: `types`", ["all", "*", ...Object.keys(TYPES)]],
    ["`sockets[]`: `protocols`", ["all", "*", ...Object.keys(PROTOCOLS)]],
    ["`ptrace`: `permissions`", ["all", "*", ...PTRACE]],
    ["`mounts[]`: `flags` that say what is done", Object.keys(KINDS)],
    ["`mounts[]`: `flags` of the file system", OPTIONS],
    ["`syscallRawRules[]`: `action`", ACTIONS],
    ["`syscallRawRules[]`: `args[].op`", OPERATORS],
  ];
  return ["| field | words |", "| --- | --- |", ...rows.map(([field, words]) => `| ${field} | ${words.map((word) => `\`${word}\``).join(" ")} |`)].join("\n");
}
