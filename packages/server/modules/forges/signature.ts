import { createHmac, timingSafeEqual } from "node:crypto";

/** `X-Hub-Signature-256`: HMAC-SHA256 over the body as it came. The older SHA-1 header says nothing here. */
export const SIGNATURE = /^sha256=[0-9a-f]{64}$/;

/** Whether the body is what whoever knows the secret sent: over the bytes, before anything reads them. */
export function isSigned(body: Uint8Array, header: string, secret: string): boolean {
  if (!SIGNATURE.test(header)) return false;
  const expected = createHmac("sha256", secret).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(header.slice("sha256=".length), "hex"));
}
