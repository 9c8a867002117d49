import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { meaningsOf } from "./path.ts";

describe("the meanings of a path", () => {
  it.each([
    "/get/../admin/login",
    "/get/%2e%2e/admin/login",
    "/get/%252e%252e/admin/login",
    "//admin/login",
    "/./admin/login",
    "/get/..%2fadmin/login",
    "/%61dmin/login",
    "/get\\..\\admin\\login",
    "/get/..%5cadmin%5clogin",
    "/get/..;/admin/login",
    "/admin;x=1/login",
    "/%2e/admin/login",
    "/x/../../admin/login",
    "/admin%2flogin",
  ])("of %s hold the place that some server takes it for", (path) => {
    expect(meaningsOf(path)).toContain("/admin/login");
  });

  it("hold what is behind a mark that only some servers decode", () => {
    expect(meaningsOf("/admin/login%3f/get")).toContain("/admin/login");
    expect(meaningsOf("/secret%23x")).toContain("/secret");
    expect(meaningsOf("/secret%00.html")).toContain("/secret");
  });

  it("of a plain path are that path alone", () => {
    for (const path of ["/", "/get", "/v1/users/42", "/a.b/c-d_e~f"]) expect(meaningsOf(`${path}?q=../admin#x`)).toEqual([path]);
  });

  it("are found for whatever comes, in bounded work", () => {
    fc.assert(fc.property(fc.string(), (path) => meaningsOf(path).length <= 16));
    const begun = process.threadCpuUsage();
    meaningsOf(`/${"%252e%252e/".repeat(400)}`);
    expect(process.threadCpuUsage(begun).user).toBeLessThan(100_000);
  });
});
