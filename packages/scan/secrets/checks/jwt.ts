import { base64Bytes, type Check, type Judgement, latin1 } from "./check.ts";

/** Keys that everybody knows from the documentation of tokens: what they sign is no secret. */
const KNOWN_SIGNATURES = new Set([
  "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c",
  "TJVA95OrM7E2cBab30RMHrHDcEfxjoYZgeFONFh7HgQ",
  "dyt0CoTl4WoVjAHI9Q_CwSKhl6d_9rhM3NrXuJttkao",
]);

interface Claims {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

function claimsOf(secret: string): Claims | null {
  const [head = "", body = "", signature = ""] = secret.split(".");
  if (KNOWN_SIGNATURES.has(signature)) return null;
  const header = objectOf(head);
  const payload = objectOf(body);
  return header === null || payload === null || typeof header.alg !== "string" ? null : { header, payload };
}

function objectOf(part: string): Record<string, unknown> | null {
  const bytes = base64Bytes(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(latin1(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function expiry(payload: Record<string, unknown>, now: number): Judgement {
  const { exp } = payload;
  if (typeof exp !== "number") return { note: "It never expires." };
  if (exp * 1000 < now) return { severity: "info", confidence: "low", note: `It expired${day(exp)}.` };
  return { note: `It expires${day(exp)}.` };
}

const day = (seconds: number): string => (seconds > 0 && seconds < 253_402_300_800 ? ` on ${new Date(seconds * 1000).toISOString().slice(0, 10)}` : "");

/** A signed token that says who made it, for whom, until when. One that has expired, or that only a test names (`John Doe`), is worth little. */
export const jwt: Check = ({ secret, now }) => {
  const claims = claimsOf(secret);
  if (claims === null) return "no";
  const { header, payload } = claims;
  if (header.alg === "none" || Object.keys(payload).length === 0) return "no";
  if (payload.name === "John Doe" || payload.sub === "1234567890" || payload.sub === "test") return "no";
  return expiry(payload, now);
};

/** Of Kubernetes: the issuer, or the claims of a service account. */
export const jwtKubernetes: Check = ({ secret, now }) => {
  const payload = claimsOf(secret)?.payload;
  if (payload === undefined) return "no";
  const named = Object.hasOwn(payload, "kubernetes.io") || Object.keys(payload).some((key) => key.startsWith("kubernetes.io/serviceaccount"));
  return named ? { proved: true, ...(expiry(payload, now) as object) } : "no";
};

/** Of Supabase: `service_role` passes by every rule of the database; `anon` is made to be public. */
export const jwtSupabase: Check = ({ secret, now }) => {
  const payload = claimsOf(secret)?.payload;
  if (payload === undefined || payload.role !== "service_role") return "no";
  if (payload.iss !== "supabase") return payload.iss === "supabase-demo" ? { severity: "low", note: "It is the one of every local installation." } : "no";
  return { proved: true, ...(expiry(payload, now) as object) };
};
