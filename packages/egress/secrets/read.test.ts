import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NoSecret, readSecret } from "./read.ts";

const home = mkdtempSync(join(tmpdir(), "plastron-secrets-"));
const secrets = join(home, "secrets");
beforeAll(() => {
  for (const place of ["acme/api", "acme/..data", "mallory/api", "mallory/fifo", "operator"]) mkdirSync(join(secrets, place), { recursive: true });
  for (const place of ["acme/api/token", "acme/..data/key", "operator/token", "../outside"]) writeFileSync(join(secrets, place), "s3cret\n");
  symlinkSync("../..data/key", join(secrets, "acme/api/mounted"));
  symlinkSync("../acme", join(secrets, "mallory/linked"));
  symlinkSync("../../acme/api/token", join(secrets, "mallory/api/token"));
  symlinkSync("../../../outside", join(secrets, "mallory/api/outside"));
  symlinkSync("acme", join(secrets, "alias"));
  execFileSync("mkfifo", [join(secrets, "mallory/fifo/key")]);
  writeFileSync(join(secrets, "mallory/api/large"), "x".repeat(20_000));
  writeFileSync(join(secrets, "mallory/api/lines"), "a\r\nX-Injected: b");
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const read = (tenant: string | null, name: string, key: string) => readSecret(secrets, tenant, { name, key });

describe("a secret", () => {
  it("is a tenant's own file, also where a mount has made links of it", async () => {
    expect(await read("acme", "api", "token")).toBe("s3cret");
    expect(await read("acme", "api", "mounted")).toBe("s3cret");
  });

  it("that is changed is the new one at once, below a directory that is a link itself", async () => {
    symlinkSync("secrets", join(home, "current"));
    writeFileSync(join(secrets, "acme/api/changing"), "old");
    expect(await readSecret(join(home, "current"), "acme", { name: "api", key: "changing" })).toBe("old");
    writeFileSync(join(secrets, "acme/api/changing"), "new");
    expect(await readSecret(join(home, "current"), "acme", { name: "api", key: "changing" })).toBe("new");
  });

  /** Each path leads to the secret for whoever puts it together from what the policy says. */
  it.each([
    ["another tenant's", "mallory", "../acme/api", "token"],
    ["another tenant's in a key", "mallory", "api", "../../acme/api/token"],
    ["another tenant's by a link to its directory", "mallory", "linked/api", "token"],
    ["another tenant's by a link to the file", "mallory", "api", "token"],
    ["one outside of all by a link", "mallory", "api", "outside"],
    ["the operator's, which was NAME/KEY without a tenant", "mallory", "../operator", "token"],
    ["another tenant's by an alias of it", "alias", "api", "token"],
    ["all tenants', as one whose name is none", ".", "operator", "token"],
    ["a file of a hidden directory", "acme", "..data", "key"],
  ])("that is %s is there to be stolen, and is not read", async (_, tenant, name, key) => {
    expect(readFileSync(join(secrets, tenant, name, key), "utf8")).toBe("s3cret\n");
    await expect(read(tenant, name, key)).rejects.toThrow(NoSecret);
  });

  it.each([
    ["nobody's", null, "api", "token", "no tenant's"],
    ["of a name with NUL", "acme", "api\0", "token", "impossible"],
    ["of a long name", "acme", "a".repeat(300), "token", "impossible"],
    ["of no name", "acme", "", "token", "impossible"],
    ["of a key that begins with a dot", "acme", "api", ".token", "impossible"],
    ["of a tenant in capitals", "ACME", "api", "token", "tenant's name"],
    ["not there", "acme", "api", "none", "ENOENT"],
    ["a directory", "acme", "api", "api", "ENOENT"],
    ["a pipe that nobody writes", "mallory", "fifo", "key", "no file"],
    ["too large", "mallory", "api", "large", "larger"],
    ["two headers", "mallory", "api", "lines", "cannot stand"],
  ])("that is %s is refused by name", async (_, tenant, name, key, why) => {
    await expect(read(tenant, name, key)).rejects.toThrow(why);
  });
});
