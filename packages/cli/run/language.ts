import { extname } from "node:path";
import type { Runtime } from "@plastron/contracts";
import { Failure } from "../failure.ts";

const SUFFIXES: Record<string, Runtime> = { ".py": "python3", ".js": "nodejs", ".mjs": "nodejs", ".cjs": "nodejs", ".sh": "bash", ".bash": "bash" };
const NAMES: Record<string, Runtime> = {
  python3: "python3",
  python: "python3",
  py: "python3",
  nodejs: "nodejs",
  node: "nodejs",
  javascript: "nodejs",
  js: "nodejs",
  bash: "bash",
  sh: "bash",
};

/** By `--language`, else by suffix, else by the #! line. Throws Failure unsupported_runtime. */
export function chooseLanguage(file: string, code: string, flag: string | undefined): Runtime {
  if (flag !== undefined) {
    const named = Object.hasOwn(NAMES, flag.toLowerCase()) ? NAMES[flag.toLowerCase()] : undefined;
    if (named) return named;
    throw new Failure("unsupported_runtime", `--language ${flag} is not known`, {
      hint: `Use python3, nodejs or bash. A runtime with packages that has this name is asked for with --runtime ${flag}.`,
    });
  }
  const found = SUFFIXES[extname(file).toLowerCase()] ?? fromShebang(code);
  if (found) return found;
  throw new Failure("unsupported_runtime", `the language of ${file === "-" ? "standard input" : file} is not clear`, {
    hint: "Add --language python3, nodejs or bash.",
  });
}

/** `#!/usr/bin/env -S python3 -u` and `#!/bin/sh` both name their interpreter last of the path, before its options. */
function fromShebang(code: string): Runtime | undefined {
  const parts = /^#!\s*(\S+)(.*)/.exec(code);
  if (!parts) return undefined;
  const [command, rest] = [parts[1] as string, (parts[2] as string).trim().split(/\s+/)];
  const program = /\/env$/.test(command) ? rest.find((word) => !word.startsWith("-") && !word.includes("=")) : command;
  const name =
    (program ?? "")
      .split("/")
      .pop()
      ?.replace(/[\d.]+$/, "") ?? "";
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}
