import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fetchWith, makeScratch } from "./download.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { openArtifact } from "./open.ts";
import { isPublicAddress, pinnedToPublic } from "./public-host.ts";

let [inner, outer]: Server[] = [];
let asked: string[] = [];
const portOf = (server: Server) => (server.address() as AddressInfo).port;
beforeAll(async () => {
  inner = createServer((request, response) => {
    asked.push(`inner ${request.url}`);
    response.writeHead(404).end();
  });
  outer = createServer((request, response) => {
    asked.push(`outer ${request.headers.host}`);
    response.writeHead(302, { location: `http://127.0.0.1:${portOf(inner as Server)}${request.url}` }).end();
  });
  for (const server of [inner, outer]) await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterAll(() => {
  inner?.close();
  outer?.close();
});
beforeEach(() => {
  asked = [];
});

test.each([
  ...["127.0.0.1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.0.0.0", "255.255.255.255", "224.0.0.1"],
  ...["::1", "::", "fe80::1", "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "ff02::1", "2001::1", "x"],
])("%s is not public", (address) => {
  expect(isPublicAddress(address)).toBe(false);
});
test.each(["8.8.8.8", "140.82.121.4", "172.32.0.1", "2606:50c0:8000::153"])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test("a repository on this machine or its network is not fetched for a stranger, and nobody is asked for it", async () => {
  const url = `http://127.0.0.1:${portOf(inner as Server)}/a.git`;
  await expect(openArtifact(url)).rejects.toThrow();
  expect(asked.length).toBeGreaterThan(0); // without the option it is
  asked = [];
  for (const named of [url, url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "2130706433"), url.replace("127.0.0.1", "[::ffff:127.0.0.1]")])
    await expect(openArtifact(named, { publicOnly: true })).rejects.toMatchObject({ code: "forbidden" });
  expect(asked).toEqual([]);
});

test("one closed address among a name's is enough, and what is fetched goes to the addresses that were looked at", async () => {
  await expect(pinnedToPublic("https://a.example/x.git", async () => ["8.8.8.8", "10.0.0.1"])).rejects.toMatchObject({ code: "forbidden" });
  await expect(pinnedToPublic("ssh://a.example/x.git", async () => ["8.8.8.8"])).rejects.toMatchObject({ code: "forbidden" });
  expect(await pinnedToPublic("https://a.example/x.git", async () => ["8.8.8.8", "2606:50c0:8000::153"])).toContain(
    "http.curloptResolve=a.example:443:8.8.8.8,[2606:50c0:8000::153]",
  );
});

test("git follows the pin, and no redirect away from it", async () => {
  const port = portOf(outer as Server);
  const scratch = makeScratch();
  const fetched = (config: string[]) => {
    const common = { program: "git", env: { ...process.env, GIT_TERMINAL_PROMPT: "0" }, scratch, limits: DEFAULT_LIMITS, signal: undefined, what: "it" };
    return fetchWith({ ...common, args: [...config, "ls-remote", `http://pinned.example:${port}/a.git`] });
  };
  const pin = ["-c", `http.curloptResolve=pinned.example:${port}:127.0.0.1`];
  await expect(fetched(pin)).rejects.toThrow();
  expect(asked.some((each) => each.startsWith("inner"))).toBe(true); // git's own default follows the first
  asked = [];
  await expect(fetched([...pin, "-c", "http.followRedirects=false"])).rejects.toThrow();
  expect(asked).toEqual([`outer pinned.example:${port}`]);
  scratch.remove();
});
