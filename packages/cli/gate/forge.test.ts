import { describe, expect, test } from "vitest";
import { placeOf } from "./forge.ts";

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
