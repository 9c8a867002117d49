/**
 * The one error registry. `code` is stable and is what scripts compare; `status` is the HTTP answer; `exit` the CLI's.
 * A hint says what the reader can do next.
 */
export const ERRORS = {
  invalid_request: { status: 400, exit: 2, title: "The request is not valid", hint: "Compare the request with /v1/openapi.json." },
  invalid_json: { status: 400, exit: 2, title: "The body is not valid JSON", hint: "Send UTF-8 JSON with Content-Type: application/json." },
  unsupported_runtime: { status: 400, exit: 2, title: "Unknown runtime", hint: "Use python3, nodejs, bash, or a runtime made with `plastron runtime create`." },
  invalid_policy: { status: 422, exit: 2, title: "The policy is not valid", hint: "docs/reference/policy.md lists every rule and field." },
  invalid_document: {
    status: 422,
    exit: 2,
    title: "The document is not valid",
    hint: "Each error names its line; the guide of this kind of document has an example.",
  },
  invalid_rule: {
    status: 422,
    exit: 2,
    title: "A rule is not valid",
    hint: "docs/guides/write-a-rule.md shows every field; `plastron rules test` tries a rule.",
  },
  untrusted_rules: {
    status: 422,
    exit: 2,
    title: "The rule pack cannot be trusted",
    hint: "Ask its author for a pack that is signed, whole and in date; what was stored before stays in use.",
  },
  unauthorized: { status: 401, exit: 2, title: "No valid API key", hint: "Send Authorization: Bearer KEY; `plastron key create` makes one." },
  forbidden: { status: 403, exit: 2, title: "This key may not do that", hint: "Use a key with the needed scope." },
  not_found: { status: 404, exit: 2, title: "Not found", hint: "It does not exist, or it belongs to another tenant." },
  not_configured: {
    status: 404,
    exit: 2,
    title: "This is not set up here",
    hint: "docs/guides/github-app.md says which settings the server needs.",
  },
  conflict: { status: 409, exit: 2, title: "The object is in a state that does not allow this", hint: "Read it again and retry." },
  payload_too_large: { status: 413, exit: 2, title: "The body is too large", hint: "Bodies are limited; send large inputs as smaller files." },
  unsupported_media_type: { status: 415, exit: 2, title: "Unsupported content type", hint: "Send application/json." },
  tier_unavailable: {
    status: 409,
    exit: 2,
    title: "This host cannot give the isolation asked for",
    hint: "`plastron doctor` says what is missing; lower min_tier only if you accept less.",
  },
  not_admitted: {
    status: 403,
    exit: 1,
    title: "The project's gate does not let this run",
    hint: "Run an artifact that passed: POST /v1/projects/{name}/admissions says why one does not.",
  },
  session_busy: { status: 409, exit: 2, title: "A run is in progress in this session", hint: "Wait for it to end; a session runs one program at a time." },
  session_gone: { status: 410, exit: 2, title: "The session has ended", hint: "Open a new session." },
  overloaded: { status: 503, exit: 1, title: "Too many runs at once", hint: "Retry after the given number of seconds." },
  agent_unavailable: { status: 503, exit: 1, title: "The sandbox agent cannot be reached", hint: "`plastron status` shows whether it is up." },
  rate_limited: { status: 429, exit: 2, title: "Too many failed attempts", hint: "Wait the given number of seconds; check the key." },
  database_unavailable: { status: 503, exit: 1, title: "The database cannot be reached", hint: "`plastron status` shows whether it is up; retry then." },
  sandbox_failed: {
    status: 500,
    exit: 1,
    title: "The sandbox could not be made",
    hint: "`plastron doctor` tries each control; the detail names the failed step.",
  },
  sensor_unavailable: {
    status: 503,
    exit: 1,
    title: "The sensor cannot look at this",
    hint: "`plastron doctor` says what the sensor needs and what is missing.",
  },
  packages_failed: {
    status: 422,
    exit: 1,
    title: "The packages could not be installed",
    hint: "The detail ends with what the installer printed; check names, versions and that the registry has them.",
  },
  port_in_use: { status: 409, exit: 1, title: "The port is taken", hint: "Choose another with --port N, or stop the program that holds it." },
  already_running: { status: 409, exit: 1, title: "Plastron is already running on this home", hint: "`plastron status` shows it; `plastron down` stops it." },
  not_running: { status: 503, exit: 1, title: "No server answers", hint: "`plastron up` starts one; PLASTRON_URL names another." },
  start_failed: { status: 500, exit: 1, title: "A part of Plastron did not start", hint: "Read the named log; `plastron doctor` says what this host lacks." },
  internal: { status: 500, exit: 1, title: "Something went wrong inside Plastron", hint: "The server's log has the request id." },
} as const;
export type ErrorCode = keyof typeof ERRORS;

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  hint: string;
  errors?: { path: string; message: string; line?: number; column?: number }[];
}

/** The only error that crosses a package border on purpose. */
export class PlastronError extends Error {
  readonly code: ErrorCode;
  readonly hint: string;
  readonly errors: Problem["errors"];
  readonly retryAfterSeconds: number | undefined;
  constructor(code: ErrorCode, detail: string, more: { hint?: string; errors?: Problem["errors"]; retryAfterSeconds?: number; cause?: unknown } = {}) {
    super(detail, { cause: more.cause });
    this.name = "PlastronError";
    this.code = code;
    this.hint = more.hint ?? ERRORS[code].hint;
    this.errors = more.errors;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** RFC 9457 problem document. `detail` of an unknown error is not shown: it may hold secrets. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof PlastronError ? error : new PlastronError("internal", "An unexpected error");
  const entry = ERRORS[known.code];
  return {
    type: `urn:plastron:problem:${known.code}`,
    title: entry.title,
    status: entry.status,
    code: known.code,
    detail: known.message,
    hint: known.hint,
    ...(known.errors ? { errors: known.errors } : {}),
  };
}
