import { networkRequestSchema, secretGrantSchema } from "@plastron/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Failure } from "../failure.ts";
import { parseNetwork } from "./network.ts";
import { networkWords } from "./network-words.ts";

const entry = (text: string) => (parseNetwork({ allowNet: [text] }).network as { allow: object[] }).allow[0];

describe("--allow-net", () => {
  it.each([
    ["api.github.com", { domains: ["api.github.com"] }],
    ["API.GitHub.com.", { domains: ["api.github.com"] }],
    ["*.example.com:8443", { domains: ["*.example.com"], ports: [8443] }],
    ["example.com:80,8080", { domains: ["example.com"], ports: [80, 8080] }],
    ["GET https://api.example.com/v1/*", { domains: ["api.example.com"], ports: [443], methods: ["GET"], paths: ["/v1/*"] }],
    ["get,Post http://api.example.com:8080/x", { domains: ["api.example.com"], ports: [8080], methods: ["GET", "POST"], paths: ["/x"] }],
    ["https://api.example.com/", { domains: ["api.example.com"], ports: [443] }],
    ["http://api.example.com", { domains: ["api.example.com"], ports: [80] }],
    ["10.1.2.0/24:5432", { cidrs: ["10.1.2.0/24"], ports: [5432] }],
    ["8.8.8.8", { cidrs: ["8.8.8.8"] }],
    ["2001:db8::/32", { cidrs: ["2001:db8::/32"] }],
    ["[2001:db8::/32]:443", { cidrs: ["2001:db8::/32"], ports: [443] }],
    ["[2001:db8::1]:443", { cidrs: ["2001:db8::1"], ports: [443] }],
    ["https://[2001:db8::1]/", { cidrs: ["2001:db8::1"], ports: [443] }],
  ])("reads %s, as the API takes it", (text, expected) => {
    expect(entry(text)).toEqual(expected);
    expect(networkRequestSchema.safeParse({ allow: [entry(text)] }).success).toBe(true);
  });

  it.each([
    ["*", "everything at once"],
    ["", "everything at once"],
    ["GET api.example.com", "method without a URL"],
    ["GET https://8.8.8.8/v1", "methods or paths of an address"],
    ["https://user:pw@api.example.com/", "--secret"],
    ["https://api.example.com/v1?x=1", "queries are not compared"],
    ["api.example.com/v1", "path without http://"],
    ["api.example.com:0", "port that is none"],
    ["api.example.com:99999", "port that is none"],
    ["api.example.com:https", "port that is none"],
    ["ftp://api.example.com", "no http or https URL"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["аpi.example.com", "xn--pi-6kc.example.com"],
    ["a*.example.com", "* inside"],
    ["10.0.0.0/x", "length is no number"],
  ])("refuses %j and says why", (text, why) => {
    expect(() => parseNetwork({ allowNet: [text] })).toThrow(
      expect.objectContaining({ message: expect.stringContaining(why), hint: expect.stringContaining("Write a name") }),
    );
  });

  it("asks for nothing where it is not given, and for none by name", () => {
    expect(parseNetwork({})).toEqual({});
    expect(parseNetwork({ allowNet: ["none"] })).toEqual({ network: "none" });
    expect(() => parseNetwork({ allowNet: ["none", "a.test"] })).toThrow("stands alone");
  });

  it("reads or refuses whatever is typed", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z:/@.*[\]0-9 ]{0,30}$/)), (text) => {
        try {
          parseNetwork({ allowNet: [text], secret: [text] });
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });
});

describe("what a record tells", () => {
  it("is said in a line", () => {
    const entry = { domains: ["api.test"], cidrs: [], ports: [80, 443], methods: [], paths: [] };
    const allow = [entry, { ...entry, ports: [8443], methods: ["GET"], paths: ["/v1/*"] }, { ...entry, domains: [], cidrs: ["2001:db8::1"], ports: [53] }];
    const secrets = [{ env: "KEY", hosts: ["api.test"] }];
    expect(networkWords({ given_by: "request", allow, secrets })).toBe("api.test, api.test:8443 (GET /v1/*), [2001:db8::1]:53; secret KEY for api.test");
    expect(networkWords(null)).toBe("none");
    expect(networkWords({ given_by: "policy", allow: null, secrets: [] })).toBe("what its policy allows");
  });
});

describe("--secret", () => {
  it("names a variable, a secret and its hosts", () => {
    const { secrets } = parseNetwork({ secret: ["OPENAI_API_KEY=openai/token@api.openai.com", "K=a/b@x.test,*.Y.test"] });
    expect(secrets).toEqual([
      { env: "OPENAI_API_KEY", name: "openai", key: "token", hosts: ["api.openai.com"] },
      { env: "K", name: "a", key: "b", hosts: ["x.test", "*.y.test"] },
    ]);
    for (const one of secrets ?? []) expect(secretGrantSchema.safeParse(one).success).toBe(true);
  });

  it("never repeats what could be the secret itself", () => {
    for (const typed of ["KEY=sk-verysecret", "sk-verysecret", "KEY=a/b", "KEY=sk-verysecret@x.test", "=a/b@x.test"]) {
      expect(() => parseNetwork({ secret: [typed] }), typed).toThrow(expect.objectContaining({ message: expect.not.stringContaining("verysecret") }));
    }
    expect(() => parseNetwork({ secret: ["K=a/b@1.2.3.4"] })).toThrow("does not name a host");
  });
});
