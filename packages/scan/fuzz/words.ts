import type { Severity } from "@plastron/contracts";
import type { Oracle } from "./harness.ts";

/** How a finding of an oracle is told. */
export interface Told {
  readonly title: string;
  readonly severity: Severity;
  readonly cwe: readonly number[];
  readonly could: string;
  readonly fix: string;
}

export const TOLD: Readonly<Record<Oracle, Told>> = {
  crash: {
    ...{ title: "Input makes it fail where nobody expected", severity: "medium", cwe: [248, 476] },
    could: "A caller that does not expect this fault ends with it.",
    fix: "Check what came in, and answer with an error of your own.",
  },
  "stack-overflow": {
    ...{ title: "Deeply nested input exhausts the stack", severity: "medium", cwe: [674] },
    could: "One request with nested input ends what it is working on, and perhaps the process.",
    fix: "Limit how deep it goes, or keep a stack of your own instead of calling itself.",
  },
  "unhandled-rejection": {
    ...{ title: "Input leaves a failed promise that nobody handles", severity: "medium", cwe: [755, 248] },
    could: "Node ends the process on a rejection without a handler.",
    fix: "Await the promise, or catch what it rejects with.",
  },
  abort: {
    ...{ title: "Input ends the process", severity: "high", cwe: [400, 248] },
    could: "One request ends the service for everybody.",
    fix: "Find what in native code or in memory this input breaks, and check for it before.",
  },
  hang: {
    ...{ title: "Input makes it run without an end", severity: "high", cwe: [835] },
    could: "One request holds a processor for as long as the process lives.",
    fix: "Make sure that each round of the loop comes nearer to its end, and limit the rounds.",
  },
  slow: {
    ...{ title: "Time grows much faster than the input", severity: "medium", cwe: [1333, 407] },
    could: "A few kilobytes hold a processor for seconds or minutes.",
    fix: "Limit the input's length first, then replace the regular expression or the loop that goes over the same text again and again.",
  },
  "command-injection": {
    ...{ title: "Input is run as a shell command", severity: "critical", cwe: [78] },
    could: "Whoever sends the input runs programs with this program's rights.",
    fix: "Start the program without a shell, with its arguments as a list.",
  },
  "code-injection": {
    ...{ title: "Input is evaluated as code", severity: "critical", cwe: [94, 95] },
    could: "Whoever sends the input runs code within this program.",
    fix: "Parse the input as data; do not evaluate it.",
  },
  "sql-injection": {
    ...{ title: "Input becomes part of an SQL statement", severity: "high", cwe: [89] },
    could: "Whoever sends the input reads and changes what the database holds.",
    fix: "Give values as parameters of the statement.",
  },
  "path-traversal": {
    ...{ title: "Input leads a path out of its directory", severity: "high", cwe: [22] },
    could: "Whoever sends the input reads or writes files anywhere that this program may.",
    fix: "Resolve the path, and refuse it where it does not begin with the directory.",
  },
  "prototype-pollution": {
    ...{ title: "Input changes every object's prototype", severity: "high", cwe: [1321] },
    could: "A property that the sender chooses appears in all objects: checks are passed that should not be, and the process can be brought down.",
    fix: "Refuse the keys __proto__, constructor and prototype, or use objects without a prototype.",
  },
  "secret-leak": {
    ...{ title: "A secret of the environment gets out", severity: "high", cwe: [200, 532] },
    could: "Whoever calls it, or reads its output, learns a credential.",
    fix: "Give back and print what the caller asked for, never the environment.",
  },
  "sandbox-violation": {
    ...{ title: "A call does what the sandbox's policy forbids", severity: "medium", cwe: [250] },
    could: "The code reaches for more than code of its kind needs; the sandbox refused it.",
    fix: "Take out what reaches there, or allow it in the policy by name.",
  },
};
