import { encodeFrame, type Runtime } from "@plastron/contracts";

/** What a waiting worker is told in order to start one program. Paths are as seen inside the sandbox. */
export interface Start {
  /** Absolute path of the program's file, already written. In run mode it must be the entry that the worker was started for. */
  entry: string;
  argv: string[];
  env: Record<string, string>;
  /** Sessions only: show the value of a last line that is an expression. */
  display: boolean;
}

/**
 * The bytes that start a program, to be written on the worker's control socket: for Python and Node a `B` frame of JSON, for
 * bash shell text that ends with NUL (bash has no JSON and cannot read counted bytes).
 *
 * `argv` and `env` are the tenant's. They reach bash as single-quoted words only, in which nothing has a meaning.
 * Throws RangeError on a NUL byte or on a name of a variable that is not a name: nothing is escaped by guessing.
 */
export function startMessage(runtime: Runtime, start: Start): Uint8Array {
  refuseUnspeakable(start);
  if (runtime !== "bash") return encodeFrame("B", JSON.stringify(start));
  return new TextEncoder().encode(`${shellText(start)}\0`);
}

/** Assignments that bash/worker.sh and bash/session.sh read; a session puts back what `env` covered, so it is kept. */
function shellText({ entry, argv, env }: Start): string {
  const lines = [`__plastron_entry=${quote(entry)}`, `__plastron_names=(${Object.keys(env).join(" ")})`];
  for (const [name, value] of Object.entries(env)) {
    lines.push(`[[ -v ${name} ]] && __plastron_before[${name}]=$${name}`, `export ${name}=${quote(value)}`);
  }
  return [...lines, `set -- ${argv.map(quote).join(" ")}`].join("\n");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function refuseUnspeakable({ entry, argv, env }: Start): void {
  for (const text of [entry, ...argv, ...Object.values(env)]) {
    if (text.includes("\0")) throw new RangeError("NUL cannot be part of an argument or a variable");
  }
  for (const name of Object.keys(env)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is not the name of a variable`);
  }
}
