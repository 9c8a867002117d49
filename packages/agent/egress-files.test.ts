import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readHosts, readTrust } from "./egress-files.ts";

let place: string;
const file = (text: string): string => {
  writeFileSync(join(place, "file"), text);
  return join(place, "file");
};
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "plastron-egress-files-"));
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

describe("the operator's hosts", () => {
  it("are read as /etc/hosts is", () => {
    expect(readHosts(file("# ours\n10.0.0.5 DB.internal db2.internal # two\n\n::1\tlocal.test\n10.0.0.5 db.internal\n"))).toEqual({
      "db.internal": "10.0.0.5",
      "db2.internal": "10.0.0.5",
      "local.test": "::1",
    });
  });

  it.each([
    ["db.internal 10.0.0.5", "file:1: "],
    ["10.0.0.5", "names nothing"],
    ["\n10.0.0.5 *.internal", "file:2: "],
    ["10.0.0.5 a.test\n10.0.0.6 a.test", "two addresses"],
    ["fe80::1%lo a.test", "not an address"],
    ["10.0.0.5 __proto__..x", "not a name"],
  ])("and refused with their line where they are not: %j", (text, why) => {
    expect(() => readHosts(file(text))).toThrow(why);
  });
});

describe("the operator's certificates", () => {
  it("are those of the file, and none that cannot be read", () => {
    expect(readTrust(file(`words\n${rootCertificates[0]}\n${rootCertificates[1]}\n`))).toEqual([rootCertificates[0], rootCertificates[1]]);
    expect(() => readTrust(file("nothing"))).toThrow("holds no certificate");
    expect(() => readTrust(file("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"))).toThrow("certificate 1 cannot be read");
    expect(() => readTrust(join(place, "missing"))).toThrow("PLASTRON_EGRESS_TRUST");
  });
});
