import { execFileSync } from "node:child_process";
import { generateKeyPairSync, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_LIMITS, fetchCommits, makeScratch } from "@plastron/scan";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../config.ts";
import { appToken, openGithubApp } from "./app.ts";
import { isSigned } from "./signature.ts";

const directory = mkdtempSync(join(tmpdir(), "plastron-app-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const rsa = (modulusLength: number) => generateKeyPairSync("rsa", { modulusLength });
const pem = ({ privateKey }: ReturnType<typeof rsa>, type: "pkcs1" | "pkcs8" = "pkcs1") => privateKey.export({ type, format: "pem" }) as string;
const keys = rsa(2048);
const KEY = file("key.pem", pem(keys)); // GitHub gives PKCS #1
const SECRET = file("secret", "a-synthetic-webhook-secret\n");
const whole = { PLASTRON_GITHUB_APP_ID: "4000", PLASTRON_GITHUB_PRIVATE_KEY_FILE: KEY, PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: SECRET };
const open = (environment: Record<string, string>) => openGithubApp(readConfig(environment).config);

describe("the app's configuration", () => {
  it("is all there, or not at all", () => {
    expect(open({})).toBeNull();
    expect(open({ PLASTRON_GITHUB_API_URL: "https://ghe.example/api/v3" })).toBeNull();
    expect(open(whole)).toMatchObject({ id: 4000, webhookSecret: "a-synthetic-webhook-secret", api: "https://api.github.com", git: "https://github.com" });
    for (const name of Object.keys(whole)) expect(() => open(Object.fromEntries(Object.entries(whole).filter(([each]) => each !== name)))).toThrow(name);
  });

  it("names what cannot be used, and never shows it", () => {
    const elliptic = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    for (const content of ["synthetic nonsense", pem(rsa(1024)), elliptic, pem(keys).slice(0, 400)]) {
      const attempt = () => open({ ...whole, PLASTRON_GITHUB_PRIVATE_KEY_FILE: file("other.pem", content) });
      expect(attempt).toThrow(/^PLASTRON_GITHUB_PRIVATE_KEY_FILE: .*no RSA private key/);
      expect(attempt).not.toThrow(content.split("\n")[1] ?? content);
    }
    expect(() => open({ ...whole, PLASTRON_GITHUB_PRIVATE_KEY_FILE: join(directory, "absent") })).toThrow(/ENOENT.*server's user/);
    expect(() => open({ ...whole, PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: file("short", "short\n") })).toThrow(/less than 16/);
  });

  it.each([
    ["https://ghe.example/api/v3/", "https://ghe.example"],
    ["https://api.shop.ghe.example", "https://shop.ghe.example"],
    ["http://127.0.0.1:8080/api/v3", "http://127.0.0.1:8080"],
  ])("%s is the API of %s", (api, git) => {
    expect(open({ ...whole, PLASTRON_GITHUB_API_URL: api })).toMatchObject({ git, configured: true });
  });

  it.each(["http://ghe.example/api/v3", "http://169.254.169.254", "https://u:p@ghe.example", "https://ghe.example/?x=1", "file:///etc/passwd", "ghe.example"])(
    "%s is no address to send tokens to",
    (api) => {
      expect(() => open({ ...whole, PLASTRON_GITHUB_API_URL: api })).toThrow("PLASTRON_GITHUB_API_URL");
    },
  );
});

describe("what the app is known by", () => {
  it("is a token that GitHub's documentation describes: RS256, a minute back, nine ahead", () => {
    const now = Date.parse("2026-01-01T00:00:00Z");
    const [head = "", claims = "", signature = ""] = appToken({ id: 4000, key: keys.privateKey }, now).split(".");
    const decoded = [head, claims].map((part) => JSON.parse(Buffer.from(part, "base64url").toString("utf8")));
    expect(decoded).toEqual([
      { alg: "RS256", typ: "JWT" },
      { iat: now / 1000 - 60, exp: now / 1000 + 540, iss: "4000" },
    ]);
    expect(verify("RSA-SHA256", Buffer.from(`${head}.${claims}`), keys.publicKey, Buffer.from(signature, "base64url"))).toBe(true);
  });

  it("checks a delivery as in GitHub's own example", () => {
    // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    const header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(isSigned(Buffer.from("Hello, World!"), header, "It's a Secret to Everybody")).toBe(true);
    expect(isSigned(Buffer.from("Hello, World."), header, "It's a Secret to Everybody")).toBe(false);
    expect(isSigned(Buffer.from("Hello, World!"), header.toUpperCase(), "It's a Secret to Everybody")).toBe(false);
  });
});

describe("fetching by a token", () => {
  const fetch = async (more: Partial<Parameters<typeof fetchCommits>[0]>) => {
    const scratch = makeScratch();
    const request = { url: "http://127.0.0.1:9/a/b.git", header: "Authorization: Basic c3ludGhldGljLXRva2Vu", commits: ["a".repeat(40)] };
    try {
      return await fetchCommits({ ...request, scratch, limits: DEFAULT_LIMITS, publicOnly: false, ...more });
    } finally {
      scratch.remove();
    }
  };

  it("goes to a host of this machine only where the operator named it", async () => {
    await expect(fetch({ publicOnly: true })).rejects.toMatchObject({ code: "forbidden" });
    await expect(fetch({})).rejects.toMatchObject({ code: "invalid_request", message: expect.stringContaining("cannot be fetched") });
  });

  it("asks for whole hashes alone, by http, and shows no credential where it fails", async () => {
    for (const commit of ["--upload-pack=id", "main", "a".repeat(39), "refs/heads/main"])
      await expect(fetch({ commits: [commit] })).rejects.toThrow("no whole commit hash");
    const owned = join(directory, "owned");
    for (const url of [`ext::touch ${owned}`, `file://${directory}`, directory]) await expect(fetch({ url })).rejects.toThrow("cannot be fetched");
    expect(execFileSync("ls", [directory], { encoding: "utf8" })).not.toContain("owned");
    await expect(fetch({ header: "Authorization: Basic 127.0.0.1" })).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("127.0.0.1") }),
    );
  });
});
