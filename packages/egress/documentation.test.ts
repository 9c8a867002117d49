import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TYPICAL_HOST } from "@plastron/contracts";
import { compilePolicy, parsePolicy } from "@plastron/policy";
import { expect, test } from "vitest";
import { compileRules } from "./rules/compiled.ts";
import { judge } from "./rules/judge.ts";
import { meaningsOf } from "./rules/path.ts";

const guide = readFileSync(join(import.meta.dirname, "../../docs/guides/network.md"), "utf8");

test("the policy of docs/guides/network.md compiles, and decides as the guide says", () => {
  const [text] = [...guide.matchAll(/```yaml\n(apiVersion[\s\S]*?)```/g)].map(([, yaml]) => yaml as string);
  const { confinement } = compilePolicy(parsePolicy(text as string), TYPICAL_HOST);
  const rules = compileRules(confinement.network as NonNullable<typeof confinement.network>, confinement.rules);
  const name = "api.example.com";
  const ask = (method: string, path: string) =>
    judge(rules, { name, claims: [name], address: null, port: 443, seen: { kind: "http", method, paths: meaningsOf(path) } });
  expect(["/v1/users", "/v2/users", "/v1/admin/users", "/v1/x/../admin/users"].map((path) => ask("GET", path).allowed)).toEqual([true, false, false, false]);
  expect(ask("DELETE", "/v1/users").allowed).toBe(false);
  const denied = ask("GET", "/v1/admin/users");
  const { id, path } = confinement.rules[denied.rule as number] as { id: string; path: string };
  expect(guide).toContain(`was denied: ${id} (${path})`);
});
