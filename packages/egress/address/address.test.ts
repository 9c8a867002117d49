import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains, parseAddress, parseRange, showAddress } from "./address.ts";
import { isForbidden } from "./special.ts";

const at = (text: string) => parseAddress(text) as Uint8Array;

describe("an address", () => {
  it("has one form, however it is spelled", () => {
    for (const [text, shown] of [
      ["::ffff:10.1.2.3", "10.1.2.3"],
      ["::FFFF:0a01:0203", "10.1.2.3"],
      ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
      ["::", "::"],
    ] as const)
      expect(showAddress(at(text))).toBe(shown);
    for (const text of ["", "1.2.3", "01.2.3.4", "1.2.3.4.5", "0x7f000001", "2130706433", "fe80::1%lo", "[::1]", "127.1"])
      expect(parseAddress(text)).toBeUndefined();
  });

  it("is shown so that it reads back as itself", () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => Buffer.compare(at(showAddress(at(text))), at(text)) === 0));
  });

  it("lies in a range by its first bits, in its own family alone", () => {
    for (const [range, inside, outside] of [
      ["172.16.0.0/11", "172.31.0.1", "172.32.1.101"],
      ["192.168.1.0/24", "::ffff:192.168.1.101", "192.168.2.1"],
      ["2001:db8::/31", "2001:db9:2:307::1", "2001:dba:2:307::1"],
      ["0.0.0.0/0", "8.8.8.8", "2001:4860::8888"],
      ["::/0", "2001:4860::8888", "8.8.8.8"],
      ["9.9.9.9", "9.9.9.9", "9.9.9.8"],
      ["10.0.0.1/32", "10.0.0.1", "10.0.0.0"],
    ] as const) {
      expect(contains(parseRange(range), at(inside)), `${inside} in ${range}`).toBe(true);
      expect(contains(parseRange(range), at(outside)), `${outside} in ${range}`).toBe(false);
    }
  });
});

describe("an address that leads inwards", () => {
  const metadata = ["169.254.169.254", "fd00:ec2::254", "100.96.0.96", "100.100.100.200", "192.0.0.192"];
  const inward = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.9",
    "::",
    "::1",
    "fe80::1",
    "fd12::1",
    "ff02::1",
  ];
  const carrying = ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1", "2001:0:7f00:1::"];

  it("is forbidden, also inside another", () => {
    for (const text of [...metadata, ...inward, ...carrying]) expect(isForbidden(at(text), [], []), text).toBe(true);
    for (const text of ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "193.0.0.1"]) expect(isForbidden(at(text), [], []), text).toBe(false);
  });

  it("can be reached by a rule that names it, not by one for everything", () => {
    for (const text of ["0.0.0.0/0", "10.0.0.0/7", "11.0.0.0/8"]) expect(isForbidden(at("10.1.2.3"), [parseRange(text)], []), text).toBe(true);
    for (const text of ["10.0.0.0/8", "10.1.2.0/24", "10.1.2.3"]) expect(isForbidden(at("10.1.2.3"), [parseRange(text)], []), text).toBe(false);
    expect(isForbidden(at("169.254.169.254"), [parseRange("169.254.169.254/32")], [])).toBe(false);
  });

  it("is every address of this host, whatever it is", () => {
    const own = [at("203.1.113.9")];
    expect(isForbidden(at("203.1.113.9"), [], [])).toBe(false);
    expect(isForbidden(at("203.1.113.9"), [parseRange("0.0.0.0/0"), parseRange("203.1.113.0/24")], own)).toBe(true);
    expect(isForbidden(at("203.1.113.9"), [parseRange("203.1.113.9")], own)).toBe(false);
  });
});
