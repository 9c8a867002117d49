import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Judgement } from "@plastron/scan";
import { describe, expect, test } from "vitest";
import { findingNamed, scanOf } from "../../../test/fixtures/findings.ts";
import { type Asked, faultsOf, operationOf, readContract } from "../../../test/fixtures/forge-contract.ts";
import { placeOf, tellForge } from "./forge.ts";

describe("a CI job's environment", () => {
  test.each<[string, Record<string, string>, string]>([
    ["github", {}, "GITHUB_REPOSITORY and GITHUB_TOKEN are not set"],
    ["gitlab", { CI_API_V4_URL: "https://gitlab.test/api/v4", CI_PROJECT_ID: "7" }, "GITLAB_TOKEN is not set"],
    ["gitea", { GITEA_URL: "https://gitea.test" }, "GITEA_REPOSITORY and GITEA_TOKEN"],
    ["bitbucket", {}, "there is no forge"],
  ])("of %s that lacks something is told what", (name, env, message) => {
    expect(() => placeOf(name, env)).toThrow(message);
  });

  test("says where the API is", () => {
    const github = placeOf("github", { GITHUB_REPOSITORY: "a/b", GITHUB_TOKEN: "t", GITHUB_API_URL: "https://ghe.test/api/v3" });
    expect(github.forge).toMatchObject({ root: "https://ghe.test/api/v3", headers: { Authorization: "Bearer t" } });
    const gitea = placeOf("gitea", { GITEA_URL: "https://gitea.test/", GITEA_REPOSITORY: "a/b", GITEA_TOKEN: "t" });
    expect(gitea.forge.root).toBe("https://gitea.test/api/v1");
  });
});

describe("what a CI job tells its forge", () => {
  const findings = Array.from({ length: 60 }, (_, i) => findingNamed({ fingerprint: i.toString(16) }));
  const counted = findings.map(({ fingerprint }) => fingerprint);
  const reasons = [{ rule: "new.high", effect: "deny" as const, message: "60 findings are new", hint: "End them.", fingerprints: counted }];
  const judgement: Judgement = { decision: { decision: "deny", reasons, counted, exempted: 0, known: 0 }, head: scanOf(findings), ended: 0, base: null };

  test.each<["github" | "gitlab" | "gitea", string, (root: string) => Record<string, string>, string[]]>([
    [
      "github",
      "",
      (root) => ({ GITHUB_API_URL: root, GITHUB_REPOSITORY: "ann/shop", GITHUB_TOKEN: "made-up-token", GITHUB_RUN_ID: "7" }),
      ["checks/create", "checks/update"],
    ],
    [
      "gitlab",
      "",
      (root) => ({ CI_API_V4_URL: root, CI_PROJECT_ID: "7", GITLAB_TOKEN: "made-up-token", CI_JOB_URL: "https://gitlab.test/job/1" }),
      ["set-status"],
    ],
    ["gitea", "/api/v1", (root) => ({ GITEA_URL: root, GITEA_REPOSITORY: "ann/shop", GITEA_TOKEN: "made-up-token" }), ["repoCreateStatus"]],
  ])("is what %s publishes that it takes", async (name, prefix, env, operations) => {
    const contract = readContract(name);
    const seen: Asked[] = [];
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      const asked = { method: request.method ?? "", path: (request.url ?? "").slice(prefix.length), headers: request.headers, body: JSON.parse(text) };
      seen.push(asked);
      const status = operationOf(contract, asked)?.operation.status ?? 404;
      response.writeHead(status, { "content-type": "application/json" }).end('{"id": 4}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await tellForge(name, judgement, new Date(), { ...env(root), PLASTRON_COMMIT: "c".repeat(40) });
    } finally {
      server.close();
    }
    expect(seen.flatMap((asked) => faultsOf(contract, asked))).toEqual([]);
    expect(seen.map((asked) => operationOf(contract, asked)?.operation.id)).toEqual(operations);
  });
});
