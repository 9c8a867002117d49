import type { ErrorCode, Problem } from "@plastron/contracts";

/**
 * What a command throws when it cannot do what was asked. Its exit code and default hint come from the registry in
 * contracts, which is loaded only when there is something to report: zod would cost every good start its milliseconds.
 */
export class Failure extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly errors: Problem["errors"];
  /** The file that `errors` stand in. */
  readonly file: string | undefined;
  constructor(code: ErrorCode, why: string, more: { hint?: string; errors?: Problem["errors"]; file?: string; cause?: unknown } = {}) {
    super(why, { cause: more.cause });
    this.name = "Failure";
    this.code = code;
    this.hint = more.hint;
    this.errors = more.errors;
    this.file = more.file;
  }
}

/** A failure of a command whose exit codes have meanings of their own: told as it is, with this one. */
export class Exiting extends Error {
  readonly exit: number;
  constructor(exit: number, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.exit = exit;
  }
}

/** Wrong use of the command line: exit 2. */
export const usage = (why: string, hint = "Add --help to the command to see its options."): Failure => new Failure("invalid_request", why, { hint });

/** What is wrong in a policy is told with its file, also where a server found it. */
export function inPolicyFile<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  return inFile(file, "invalid_policy", work);
}

/** The same of any document, by the code of its faults. */
export async function inFile<Result>(file: string, fault: ErrorCode, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const { code, message, hint, errors } = error as Failure;
    if (code !== fault) throw error;
    throw new Failure(code, message, { ...(hint ? { hint } : {}), ...(errors ? { errors } : {}), file, cause: error });
  }
}

export interface Report {
  code: ErrorCode;
  title: string;
  detail: string;
  hint: string;
  exit: number;
  errors?: Problem["errors"];
  /** The file that `errors` stand in. */
  file?: string;
}

/** Anything thrown, as what the person is told. An error that nobody foresaw keeps its message: this is the user's own machine. */
export async function toReport(error: unknown): Promise<Report> {
  if (error instanceof Exiting) return { ...(await toReport(error.cause)), exit: error.exit };
  const { ERRORS, PlastronError } = await import("@plastron/contracts");
  const known = error instanceof Failure || error instanceof PlastronError;
  const code: ErrorCode = known ? error.code : "internal";
  const entry = ERRORS[code] ?? ERRORS.internal;
  const detail = error instanceof Error ? error.message : String(error);
  const hint = known ? (error.hint ?? entry.hint) : "This is a defect of the command line; PLASTRON_DEBUG=1 shows the stack.";
  const errors = known && error.errors ? { errors: error.errors } : {};
  return { code, title: entry.title, detail, hint, exit: entry.exit, ...errors, ...(error instanceof Failure && error.file ? { file: error.file } : {}) };
}
