import { z } from "zod";

/**
 * Ids are `<prefix>_<26 characters>`: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32, so that they
 * sort by time of making (the ULID layout, https://github.com/ulid/spec) and can never be guessed.
 */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export const ID_PREFIXES = {
  run: "run",
  session: "ses",
  key: "key",
  tenant: "ten",
  request: "req",
  scan: "scn",
  change: "chg",
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

/** A fresh id of that kind. `now` is in milliseconds since 1970. */
export function newId(kind: IdKind, now: number = Date.now()): string {
  let time = "";
  for (let rest = now, i = 0; i < 10; i++) {
    time = ALPHABET[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  const random = crypto.getRandomValues(new Uint8Array(16));
  let tail = "";
  for (const byte of random) tail += ALPHABET[byte & 31];
  return `${ID_PREFIXES[kind]}_${time}${tail}`;
}

export const idSchema = (kind: IdKind) => z.string().regex(new RegExp(`^${ID_PREFIXES[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`), `not a ${kind} id`);
