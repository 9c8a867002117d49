import { describe, expect, it } from "vitest";
import { npmRegistry } from "./npm.ts";
import { pipRegistry } from "./pip.ts";

const DEFAULTS = { index: "https://index.test/simple", files: "files.test" };
const pip = (env: Record<string, string> = {}, files: Record<string, string> = {}) => pipRegistry({ HOME: "/h", ...env }, (path) => files[path], DEFAULTS);
const npm = (env: Record<string, string> = {}, files: Record<string, string> = {}) =>
  npmRegistry({ HOME: "/h", ...env }, (path) => files[path], "https://npm.test/");

describe("pip as the machine configures it", () => {
  it("has its own index and that one's host of archives where nothing is configured", () => {
    expect(pip()).toEqual({
      hosts: [
        { host: "index.test", port: 443 },
        { host: "files.test", port: 443 },
      ],
      ...{ options: ["--index-url", "https://index.test/simple"], directories: [], certificates: null },
    });
  });

  it("reads files, weakest first, then variables; another index has no host of archives but its own", () => {
    const files = {
      "/etc/pip.conf":
        "[global]\nindex-url = https://a.test/simple\nextra-index-url =\n    http://b.test:8080/simple\n    https://c.test/simple\n[install]\ntrusted-host: b.test\n",
      "/h/.config/pip/pip.conf": "# mine\n[global]\nindex_url=https://d.test/pypi/simple/\ncert = /etc/ours.pem\n",
    };
    const found = pip({}, files);
    expect(found.hosts).toEqual([
      { host: "d.test", port: 443 },
      { host: "b.test", port: 8080 },
      { host: "c.test", port: 443 },
    ]);
    expect(found.options).toEqual([
      ...["--index-url", "https://d.test/pypi/simple/", "--extra-index-url", "http://b.test:8080/simple"],
      ...["--extra-index-url", "https://c.test/simple", "--trusted-host", "b.test"],
    ]);
    expect(found.certificates).toBe("/etc/ours.pem");
    expect(pip({ PIP_INDEX_URL: "https://e.test/x" }, files).hosts[0]).toEqual({ host: "e.test", port: 443 });
    expect(pip({ PIP_CONFIG_FILE: "/dev/null" }, files).hosts[0]).toEqual({ host: "index.test", port: 443 });
  });

  it("finds archives in directories, with or without an index", () => {
    expect(pip({ PIP_FIND_LINKS: "/opt/a file:///opt/b https://l.test/x", PIP_NO_INDEX: "1" })).toMatchObject({
      hosts: [{ host: "l.test", port: 443 }],
      directories: ["/opt/a", "/opt/b"],
    });
  });

  it.each([
    [{ PIP_INDEX_URL: "https://user:pass@a.test/simple" }, "pip's index-url (PIP_INDEX_URL) has credentials"],
    [{ PIP_EXTRA_INDEX_URL: "https://token@a.test/simple" }, "pip's extra-index-url (PIP_EXTRA_INDEX_URL) has credentials"],
    [{ PIP_INDEX_URL: "https://10.0.0.1/simple" }, "names an address"],
    [{ PIP_INDEX_URL: "http://localhost:3141/x" }, "names an address"],
    [{ PIP_INDEX_URL: "http://[::1]/x" }, "names an address"],
    [{ PIP_INDEX_URL: "ftp://a.test/" }, "is neither http nor https"],
    [{ PIP_INDEX_URL: "nonsense" }, "is not a URL"],
    [{ PIP_PROXY: "http://p.test:3128" }, "builds cannot go through a proxy"],
    [{ https_proxy: "http://p.test:3128" }, "builds cannot go through a proxy"],
    [{ PIP_CLIENT_CERT: "/k.pem" }, "is a credential"],
  ])("is refused by the setting that a build cannot follow: %o", (env, why) => {
    expect(() => pip(env as Record<string, string>)).toThrow(why);
  });

  it("never tells a credential", () => {
    expect(() => pip({ PIP_INDEX_URL: "https://user:hunter2@a.test/simple" })).toThrow(expect.not.stringContaining("hunter2"));
  });
});

describe("npm as the machine configures it", () => {
  it("reads its files and variables, and registries of scopes", () => {
    expect(npm().options).toEqual(["--registry", "https://npm.test/"]);
    const files = {
      "/etc/npmrc": "registry=https://a.test/\ncafile=/etc/ours.pem",
      "/h/.npmrc": '; mine\nregistry = "${MIRROR}"\n@ours:registry=http://b.test:4873/',
    };
    const found = npm({ MIRROR: "https://c.test/npm/" }, files);
    expect(found).toEqual({
      hosts: [
        { host: "c.test", port: 443 },
        { host: "b.test", port: 4873 },
      ],
      options: ["--registry", "https://c.test/npm/", "--@ours:registry=http://b.test:4873/"],
      ...{ directories: [], certificates: "/etc/ours.pem" },
    });
    expect(npm({ npm_config_registry: "https://d.test/" }, files).hosts[0]).toEqual({ host: "d.test", port: 443 });
  });

  it.each([
    [{ npm_config_https_proxy: "http://p.test:1" }, {}, "builds cannot go through a proxy"],
    [{}, { "/h/.npmrc": "//npm.test/:_authToken=abc" }, "is a credential"],
    [{}, { "/h/.npmrc": "registry=https://u:p@a.test/" }, "has credentials"],
  ])("is refused by the setting that a build cannot follow: %o %o", (env, files, why) => {
    expect(() => npm(env as Record<string, string>, files as Record<string, string>)).toThrow(why);
  });

  it("ignores a credential of a host that builds do not use", () => {
    expect(npm({}, { "/h/.npmrc": "//elsewhere.test/:_authToken=abc" }).hosts).toHaveLength(1);
  });
});
