import type { HostFacts } from "@plastron/contracts";
import { AARCH64_TABLE } from "./syscalls/aarch64.ts";
import { X86_64_TABLE } from "./syscalls/x86_64.ts";

export type Arch = HostFacts["arch"];

const NUMBERS: Record<Arch, ReadonlyMap<string, number>> = { x86_64: readTable(X86_64_TABLE), aarch64: readTable(AARCH64_TABLE) };

/** Name → number of every system call that this architecture's native ABI has. */
export function syscallNumbers(arch: Arch): ReadonlyMap<string, number> {
  return NUMBERS[arch];
}

/** Whether any architecture that we know has a call of this name: tells a misspelt name from one of another machine. */
export function isSyscallName(name: string): boolean {
  return NUMBERS.x86_64.has(name) || NUMBERS.aarch64.has(name);
}

function readTable(table: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>();
  for (const line of table.trim().split("\n")) {
    const [first = "", names = ""] = line.split(": ");
    let number = Number(first);
    for (const name of names.split(" ")) numbers.set(name, number++);
  }
  return numbers;
}
