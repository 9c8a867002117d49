import { createHash } from "node:crypto";
import { base62, crc32 } from "../checks/checksum.ts";

/**
 * Makes an example of its template: `{{base62:36}}` becomes 36 random characters, the same ones each time for the same `seed`. No whole secret of
 * any provider stands in this tree, so that no scanner of anybody finds one.
 */
export function fill(template: string, seed: string): string {
  let count = 0;
  return template.replace(/\{\{([a-z0-9_]+)(?::([^}]*))?\}\}/g, (_, name: string, argument = "") => {
    count += 1;
    const make = MAKERS[name];
    if (make === undefined) throw new Error(`no template is called ${name}`);
    return make(randomOf(`${seed}:${count}`), argument);
  });
}

type Random = (below: number) => number;

function randomOf(seed: string): Random {
  let state = createHash("sha256").update(seed).digest();
  let at = 0;
  return (below) => {
    if (at + 4 > state.length) [state, at] = [createHash("sha256").update(state).digest(), 0];
    const value = state.readUInt32BE(at);
    at += 4;
    return value % below;
  };
}

const DIGITS = "0123456789";
const LOWER = "abcdefghijklmnopqrstuvwxyz";
const UPPER = LOWER.toUpperCase();
const BASE62 = DIGITS + UPPER + LOWER;

/** Of an alphabet; the first three are of different kinds, so that a check for a digit or a capital never fails by chance. */
const of =
  (alphabet: string) =>
  (random: Random, length: string): string => {
    const characters = Array.from({ length: Number(length) }, () => alphabet[random(alphabet.length)]!);
    for (const [place, kind] of [DIGITS, LOWER, UPPER].entries()) {
      const fitting = [...kind].filter((each) => alphabet.includes(each));
      if (fitting.length > 0 && characters.length > 8) characters[2 + place * 2] = fitting[random(fitting.length)]!;
    }
    return characters.join("");
  };

const bytes = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const base64Json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64");

/** DER of nothing: a SEQUENCE of the right length round random bytes. No key of any kind. */
function der(random: Random, length: number): Buffer {
  return Buffer.concat([Buffer.from([0x30, 0x82, length >> 8, length & 255]), bytes(random, length)]);
}

const wrapped = (body: Buffer, kind: string, newline = "\n", head = ""): string => {
  const lines = body.toString("base64").match(/.{1,64}/g)!;
  return [`-----BEGIN ${kind}-----`, ...(head === "" ? [] : [head, ""]), ...lines, `-----END ${kind}-----`].join(newline);
};

function openssh(random: Random, cipher: string): Buffer {
  const name = Buffer.alloc(4 + cipher.length);
  name.writeUInt32BE(cipher.length);
  name.write(cipher, 4);
  return Buffer.concat([Buffer.from("openssh-key-v1\0"), name, bytes(random, 200)]);
}

const jwtOf = (payload: Record<string, unknown>, random: Random): string =>
  `${json({ alg: "HS256", typ: "JWT" })}.${json(payload)}.${of(BASE62)(random, "43")}`;

const MAKERS: Readonly<Record<string, (random: Random, argument: string) => string>> = {
  base62: of(BASE62),
  letters: of(LOWER + UPPER),
  lower: of(LOWER),
  lowernum: of(LOWER + DIGITS),
  upper: of(UPPER),
  uppernum: of(UPPER + DIGITS),
  base32: of(`${UPPER}234567`),
  digits: of(DIGITS),
  hex: of("0123456789abcdef"),
  upperhex: of("0123456789ABCDEF"),
  url: of(`${BASE62}-_`),
  base64: (random, length) => of(`${BASE62}+/`)(random, length),
  base64bytes: (random, length) => bytes(random, Number(length)).toString("base64"),
  uuid: (random) => [8, 4, 4, 4, 12].map((length) => of("0123456789abcdef")(random, String(length))).join("-"),
  crc62: (random) => {
    const body = of(BASE62)(random, "30");
    return body + base62(crc32(body));
  },
  gitlab: (random) => {
    const payload = Buffer.concat([Buffer.from("o:1\nu:2\n"), bytes(random, 16), Buffer.from([16])]).toString("base64url");
    const body = `glpat-${payload}.01.${payload.length.toString(36).padStart(2, "0")}`;
    return body + crc32(body).toString(36).padStart(7, "0");
  },
  pypi: (random) =>
    Buffer.concat([Buffer.from([2, 1, 8]), Buffer.from(["pypi", "org"].join(".")), Buffer.from([2, 36]), bytes(random, 90)]).toString("base64url"),
  discord: (random) => `${Buffer.from(of(DIGITS)(random, "18")).toString("base64url")}.${of(BASE62)(random, "6")}.${of(BASE62)(random, "38")}`,
  basic: (random) => Buffer.from(`deploy:${of(BASE62)(random, "20")}`).toString("base64"),
  text64: (_random, text) => Buffer.from(text).toString("base64"),
  bech32: of("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"),
  onepassword: (random) =>
    base64Json({
      signInAddress: "my.1password.com",
      userAuth: { method: "SRPg-4096", salt: of(BASE62)(random, "22") },
      srpX: of(BASE62)(random, "64"),
      email: "x",
    }),
  mapbox: (random) => json({ u: of(LOWER)(random, "9"), a: `cl${of(LOWER + DIGITS)(random, "23")}` }),
  sentry: (random) => base64Json({ iat: 1_700_000_000.5, url: "https://sentry.io", region_url: "https://us.sentry.io", org: of(LOWER)(random, "12") }),
  grafana: (random) => base64Json({ o: of(DIGITS)(random, "6"), n: "reader", k: of(BASE62)(random, "24"), m: { r: "eu" } }),
  grafana_key: (random) => base64Json({ k: of(BASE62)(random, "32"), n: "reader", id: 1 }),
  jwt: (random) => jwtOf({ sub: of(DIGITS)(random, "9"), exp: 4_102_444_800, scope: "write" }, random),
  jwt_expired: (random) => jwtOf({ sub: of(DIGITS)(random, "9"), exp: 1_500_000_000 }, random),
  jwt_known: () =>
    ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIn0", "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"].join("."),
  jwt_service: (random) => jwtOf({ iss: "supabase", ref: of(LOWER)(random, "20"), role: "service_role", exp: 4_102_444_800 }, random),
  jwt_anon: (random) => jwtOf({ iss: "supabase", ref: of(LOWER)(random, "20"), role: "anon", exp: 4_102_444_800 }, random),
  jwt_kubernetes: (random) =>
    jwtOf({ iss: "kubernetes/serviceaccount", "kubernetes.io/serviceaccount/namespace": "prod", sub: of(LOWER)(random, "9") }, random),
  pem: (random, kind) => wrapped(der(random, 600), kind),
  pem_line: (random, kind) => wrapped(der(random, 600), kind, "\\n"),
  pem_locked: (random, kind) => wrapped(bytes(random, 600), kind, "\n", "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF"),
  pem64: (random, kind) => Buffer.from(wrapped(der(random, 300), kind)).toString("base64"),
  pgp: (random) => wrapped(Buffer.concat([Buffer.from([0x95]), bytes(random, 500)]), "PGP PRIVATE KEY BLOCK", "\n", "Version: 1"),
  openssh: (random) => wrapped(openssh(random, "none"), "OPENSSH PRIVATE KEY"),
  openssh_locked: (random) => wrapped(openssh(random, "aes256-ctr"), "OPENSSH PRIVATE KEY"),
};
