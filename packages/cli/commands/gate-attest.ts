import { createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { attestPentest } from "@plastron/scan";
import { usage } from "../failure.ts";
import { line, type Terminal } from "../terminal/terminal.ts";

export interface AttestFlags {
  project: string;
  commit: string;
  result: "passed" | "failed";
  tester: string;
  finishedAt?: string;
  key: string;
}

/** Prints a signed statement; it belongs into the project's .plastron/attestations. */
export function attest(flags: AttestFlags, terminal: Terminal): number {
  const key = privateKey(flags.key);
  const at = new Date(flags.finishedAt ?? Date.now());
  if (Number.isNaN(at.getTime())) throw usage(`${flags.finishedAt} is no time`, "Write it like 2026-01-31T12:00:00Z.");
  if (!/^[0-9a-f]{40,64}$/.test(flags.commit)) throw usage(`${flags.commit} is no whole commit hash`, "git rev-parse HEAD prints one.");
  const { project, commit, result, tester } = flags;
  terminal.out.write(attestPentest({ project, commit, result, tester, finished_at: at.toISOString() }, (bytes) => sign(null, bytes, key)));
  return 0;
}

/** Never over a file that is there: a key that is lost cannot be made again. */
export function keygen(file: string, terminal: Terminal): number {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  try {
    writeFileSync(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw usage(`${file} cannot be made: ${(error as NodeJS.ErrnoException).code}`, "Name a file that is not there yet.");
  }
  const { x } = publicKey.export({ format: "jwk" });
  line(terminal.out, Buffer.from(x as string, "base64url").toString("base64"));
  line(terminal.err, `The private key is in ${file}: keep it where only its owner reads. The line above belongs into \`pentest.keys\` of the gate policy.`);
  return 0;
}

function privateKey(file: string): KeyObject {
  try {
    const key = createPrivateKey(readFileSync(file));
    if (key.asymmetricKeyType === "ed25519") return key;
  } catch (error) {
    throw usage(`${file} holds no private key: ${(error as Error).message.split("\n")[0]}`, "Make one with `plastron gate keygen FILE`.");
  }
  throw usage(`${file} holds a key of another kind`, "Make an Ed25519 key with `plastron gate keygen FILE`.");
}
