import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressText, cidrText, parseAddress, parseCidr } from "./address.ts";

const cidr = (text: string) => {
  const found = parseCidr(text);
  return found && cidrText(found);
};
const address = (text: string) => {
  const found = parseAddress(text);
  return found && addressText(found);
};

describe("a network", () => {
  test.each([
    ["192.168.1.1/24", "192.168.1.0/24"],
    ["172.16.0.0/11", "172.0.0.0/11"],
    ["11.37.100.230/16", "11.37.0.0/16"],
    ["2001:db8::/31", "2001:db8::/31"],
    ["2001:DB9:0:0::1/31", "2001:db8::/31"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["::/0", "::/0"],
    ["::ffff:10.1.2.3/104", "10.0.0.0/8"],
  ])("%s is %s", (given, canonical) => {
    expect(cidr(given)).toBe(canonical);
  });

  test.each(["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "::/129", "::ffff:1.2.3.4/64", "10.0.0/8", "/8", "a/8", "10.0.0.0/8/8", ""])(
    "%j is none",
    (given) => {
      expect(cidr(given)).toBeNull();
    },
  );
});

describe("an address", () => {
  test.each([
    ["169.254.169.254", "169.254.169.254"],
    ["::ffff:169.254.169.254", "169.254.169.254"],
    ["::FFFF:a9fe:a9fe", "169.254.169.254"],
    ["fdbd:dc01:ff:307:9329:268d:3a27:2ca7", "fdbd:dc01:ff:307:9329:268d:3a27:2ca7"],
    ["FD00:0ec2::0254", "fd00:ec2::254"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["::", "::"],
    ["::1", "::1"],
  ])("%s is %s", (given, canonical) => {
    expect(address(given)).toBe(canonical);
  });

  test.each([
    "127.1",
    "0177.0.0.1",
    "256.0.0.1",
    "1.2.3.4.5",
    "1.2.3.4 ",
    "::1%eth0",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "0x7f.0.0.1",
    "[::1]",
    "2130706433",
  ])("%j is none: others may read it as another one", (given) => {
    expect(address(given)).toBeNull();
  });

  test("survives being written and read", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const found = parseAddress(text);
        expect(found).not.toBeNull();
        if (found) expect(parseAddress(addressText(found))).toEqual(found);
      }),
    );
    fc.assert(
      fc.property(fc.ipV4(), fc.string({ unit: "binary" }), (text, any) => {
        expect(address(text)).toBe(text);
        expect(() => [parseAddress(any), parseCidr(any)]).not.toThrow();
      }),
    );
  });
});
