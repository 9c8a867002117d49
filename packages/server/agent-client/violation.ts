import { type RunResult, type Violation, ViolationRoom, violationSchema } from "@plastron/contracts";

/** The longest text of a violation that is kept: a path of the kernel fits (PATH_MAX), what a program makes up beyond that does not. */
const LONGEST = 4096;

/** A violation frame as it came. The program chose the texts in it: each is cut, its kind is checked. @throws ZodError */
export function readViolation(value: unknown): Violation {
  return bounded(violationSchema.parse(value));
}

/** The result with no more violations than one run may record, each of them cut as those are that came while it ran. */
export function boundResult(result: RunResult): RunResult {
  if (result.violations.length === 0) return result;
  const room = new ViolationRoom();
  const violations = result.violations.filter((violation) => room.take(violation)).map(bounded);
  return { ...result, violations, violations_dropped: result.violations_dropped + result.violations.length - violations.length };
}

function bounded<T>(value: T): T {
  if (typeof value === "string") return (value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value).toWellFormed() as T;
  if (Array.isArray(value)) return value.slice(0, 64).map(bounded) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, bounded(inner)])) as T;
}
