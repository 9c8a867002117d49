/** What a machine has that a test needs besides. */
import { execFileSync } from "node:child_process";

/** Whether this machine's Python has a module. */
export function hasPythonModule(name: string): boolean {
  try {
    execFileSync("/usr/bin/python3", ["-c", `import ${name}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
