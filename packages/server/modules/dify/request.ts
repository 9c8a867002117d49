import { isUtf8 } from "node:buffer";

/** A body as it arrived: Dify's server treats the exact Content-Type `application/json` unlike every other. */
export interface RawBody {
  contentType: string;
  bytes: Buffer;
}

export interface DifyRun {
  language: string;
  code: string;
  enable_network: boolean;
}

/** `status` is what such a failure is answered with: 400 for exactly `application/json`, 200 for every other Content-Type. */
export type Bound<T> = { ok: true; value: T } | { ok: false; status: 200 | 400; message: string };

/**
 * A run request, from JSON or a form. `preload` is accepted and dropped: upstream executed it as root before its confinement was
 * complete (CVE-2024-10252), and Dify's client sends it with every template. `dependencies` is ignored as upstream does.
 */
export function bindRun(body: RawBody): Bound<DifyRun> {
  return bind(body, (fields) => {
    for (const name of ["language", "code"] as const) {
      const value = fields[name];
      if (value !== undefined && typeof value !== "string") return `${name} must be a string`;
      if (value === undefined || value === "")
        return `Key: '${name === "code" ? "Code" : "Language"}' Error: Field validation for '${name}' failed on the 'required' tag`;
    }
    const { language, code, enable_network: network } = fields as { language: string; code: string; enable_network?: unknown };
    if (code.includes("\0") || !code.isWellFormed()) return "code has a NUL character or half a surrogate pair";
    if (network !== undefined && typeof network !== "boolean" && !["true", "false", "1", "0"].includes(String(network)))
      return "enable_network must be a boolean";
    return { language, code, enable_network: network === true || network === "true" || network === "1" };
  });
}

export function bindLanguage(body: RawBody): Bound<{ language: string }> {
  return bind(body, ({ language }) =>
    typeof language === "string" && language !== "" ? { language } : "Key: 'Language' Error: Field validation for 'language' failed on the 'required' tag",
  );
}

function bind<T extends object>(body: RawBody, read: (fields: Record<string, unknown>) => T | string): Bound<T> {
  const status = body.contentType === "application/json" ? 400 : 200;
  const fields = fieldsOf(body);
  const result = typeof fields === "string" ? fields : read(fields);
  return typeof result === "string" ? { ok: false, status, message: result } : { ok: true, value: result };
}

/** The named values of a body, or why it has none. */
function fieldsOf({ contentType, bytes }: RawBody): Record<string, unknown> | string {
  if (bytes.length === 0) return "EOF";
  if (!isUtf8(bytes)) return "the body is not valid UTF-8";
  const text = bytes.toString("utf8");
  if (contentType.split(";")[0]?.trim().toLowerCase() === "application/x-www-form-urlencoded") return Object.fromEntries(new URLSearchParams(text));
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : "the body is not a JSON object";
  } catch {
    return "the body is not valid JSON";
  }
}
