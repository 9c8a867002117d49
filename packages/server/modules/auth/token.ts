import { createHash, randomBytes } from "node:crypto";
import { ID_PREFIXES, newId } from "@plastron/contracts";

/** `pla_<26 characters of the key's id>_<43 characters of secret>`. The prefix lets scanners find a leaked key. */
const FORM = /^pla_([0-9A-HJKMNP-TV-Z]{26})_[A-Za-z0-9_-]{43}$/;

export interface NewToken {
  id: string;
  token: string;
}

/** A fresh key: its id is public, its secret has 256 bits. */
export function makeToken(): NewToken {
  const id = newId("key");
  return { id, token: `pla_${id.slice(ID_PREFIXES.key.length + 1)}_${randomBytes(32).toString("base64url")}` };
}

/** The id of the key that a token claims to be, or undefined where it has another form (a preset key may). Attacker-controlled. */
export function claimedId(token: string): string | undefined {
  const tail = FORM.exec(token)?.[1];
  return tail === undefined ? undefined : `${ID_PREFIXES.key}_${tail}`;
}

/** The name under which a verified token is remembered, so that the token itself is not kept in memory. */
export function fingerprint(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
