import { describe, expect, it } from "vitest";
import { parseCluster } from "./cluster.ts";

const YAML = `
services:
  - namespace: shop
    name: database
    labels: { app: db }
    addresses: [10.96.0.10, "fd00::10"]
    ports: [5432]
pods:
  - { namespace: shop, labels: { app: web }, addresses: [10.244.1.7] }
self: [10.244.0.0/24]
`;

const errorOf = (text: string) => {
  try {
    parseCluster(text);
  } catch (error) {
    return error as { code: string; message: string; errors: { path: string; line: number }[] };
  }
  throw new Error("it was accepted");
};

describe("a cluster's addresses", () => {
  it("are read from YAML, and from JSON", () => {
    const cluster = parseCluster(YAML);
    expect(cluster.services[0]).toEqual({ namespace: "shop", name: "database", labels: { app: "db" }, addresses: ["10.96.0.10", "fd00::10"], ports: [5432] });
    expect(parseCluster(JSON.stringify(cluster))).toEqual(cluster);
    expect(parseCluster("self: []")).toEqual({ services: [], pods: [], self: [] });
  });

  it.each([
    ["no document", "", "", /must hold/],
    ["a list", "- a", "", /must hold/],
    ["an unknown field", "services: []\nserivces: []", "", /line 1.*serivces/],
    ["a port out of range", YAML.replace("5432", "70000"), "services[0].ports[0]", /line 7, column 13: services\[0\]\.ports\[0\]/],
    ["a name where an address belongs", YAML.replace("10.96.0.10", "db.local"), "services[0].addresses[0]", /line 6.*"db\.local" is no IP address/],
    ["an address that is none", "self: [10.0.0.256]", "self[0]", /line 1, column 8/],
    ["a missing name", "services: [{ namespace: a, addresses: [] }]", "services[0].name", /services\[0\]\.name/],
    ["bad YAML", "services: [", "", /line 1/],
  ])("with %s are refused, and the place is named", (_, text, path, words) => {
    const error = errorOf(text);
    expect(error.code).toBe("invalid_request");
    expect(error.message).toMatch(words);
    expect(error.errors[0]?.path).toBe(path);
  });

  it("that unfold without end are refused", () => {
    const bomb = Array.from({ length: 12 }, (_, i) => `${"abcdefghijklm"[i + 1]}: &${"abcdefghijklm"[i + 1]} [${`*${"abcdefghijklm"[i]}, `.repeat(9)}1]`);
    expect(errorOf(`a: &a [1, 1]\n${bomb.join("\n")}`).code).toBe("invalid_request");
  });
});
