import { expect, it } from "vitest";
import { readConfig } from "./config.ts";

it("has defaults for everything", () => {
  expect(readConfig({}).config).toMatchObject({ PLASTRON_HOST: "127.0.0.1", PLASTRON_PORT: 7300, WORKER_TIMEOUT: 5, ENABLE_NETWORK: true });
});

it("takes an empty variable as absent, and reads booleans as Go does", () => {
  expect(readConfig({ PLASTRON_PORT: "", ENABLE_NETWORK: "0" }).config).toMatchObject({ PLASTRON_PORT: 7300, ENABLE_NETWORK: false });
});

it("names the variable that is wrong", () => {
  for (const [name, value] of Object.entries({
    PLASTRON_PORT: "x",
    PLASTRON_ADMIN_KEY: "short",
    MAX_WORKERS: "0",
    ENABLE_NETWORK: "yes",
    PLASTRON_LIFELINE: "fd3",
    PLASTRON_RETENTION_DAYS: "-1",
  })) {
    expect(() => readConfig({ [name]: value }), name).toThrow(new RegExp(`^${name}: `));
  }
});

it("says which of Dify's variables mean nothing here, and why", () => {
  const { ignored } = readConfig({ ALLOWED_SYSCALLS: "1,2", ENABLE_PRELOAD: "true", PATH: "/bin" });
  expect(ignored).toEqual([
    { variable: "ENABLE_PRELOAD", why: expect.stringContaining("never executed") },
    { variable: "ALLOWED_SYSCALLS", why: expect.stringContaining("policy") },
  ]);
});
