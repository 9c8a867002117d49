import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Repository } from "../../../test/fixtures/repository.ts";
import { plastron } from "../testing/command-line.ts";

/** In a tree without a secret, so that nobody is asked: the notes say who would have been. */
describe("plastron gate and verify_secrets [needs: git]", { timeout: 60_000 }, () => {
  const ASKING = "version: 1\nrequired: []\nverify_secrets: true\n";
  let repository: Repository;
  let base: string;
  beforeEach(() => {
    repository = Repository.made();
    base = repository.commit({ ".plastron/gate.yaml": ASKING, "a.txt": "1\n" });
    repository.commit({ "a.txt": "2\n" });
    return () => repository.remove();
  });
  const notes = async (...args: string[]) =>
    (await plastron("gate", repository.path, "--base", base, "--json", ...args)).said.includes("no provider was asked");

  test("is followed in a policy that is given, not in the repository's own", async () => {
    const given = join(repository.path, "given.yaml");
    writeFileSync(given, ASKING);
    expect([await notes(), await notes("--policy", given), await notes("--verify-secrets")]).toEqual([true, false, false]);
  });
});

test("plastron gate takes approvals from a file that is given [needs: git]", { timeout: 60_000 }, async () => {
  const repository = Repository.made();
  const tools = (description: string) => ({ "tools.json": JSON.stringify({ tools: [{ name: "add", description, inputSchema: {} }] }) });
  const base = repository.commit({ ...tools("Adds."), ".plastron/gate.yaml": "version: 1\nrequired: []\n" });
  const approved = join(repository.path, "../", `${base}-approved.json`);
  expect(await plastron("scan", repository.path, "--analysers", "agentware", "--approve", "--approvals", approved)).toMatchObject({ code: 0 });
  repository.commit(tools("Adds, and more."));
  const gate = (...args: string[]) => plastron("gate", repository.path, "--base", base, ...args);
  expect(await gate()).toMatchObject({ code: 0 });
  expect(await gate("--approvals", approved)).toMatchObject({ code: 1, said: expect.stringContaining("changed-since-approval") });
  expect((await gate("--approvals", `${approved}.none`)).code).toBe(2);
  rmSync(approved);
  repository.remove();
});
