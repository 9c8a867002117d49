import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { IndexDamaged } from "../../dependencies/index.ts";
import { openAdvisories, openPreviousAdvisories, updateAdvisories, verifyStore } from "./index.ts";

const now = new Date("2026-01-02T03:04:05Z");
let root: string;
let store: { directory: string };

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "advisories-test-"));
  store = { directory: join(root, "store") };
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const osv = (id: string, name: string, fixed: string, more: object = {}) => ({
  ...{ id, modified: "2025-12-31T00:00:00Z", summary: `${name} is weak`, aliases: [`CVE-2025-${id.length}${fixed.replaceAll(".", "")}`] },
  affected: [{ package: { ecosystem: "npm", name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }] }],
  ...more,
});

function folder(name: string, documents: Record<string, unknown>): string {
  for (const [path, document] of Object.entries(documents)) {
    mkdirSync(join(root, name, path, ".."), { recursive: true });
    writeFileSync(join(root, name, path), typeof document === "string" ? document : JSON.stringify(document));
  }
  return join(root, name);
}

const update = (from: string[], more: object = {}) => updateAdvisories(store, { from, now, ...more });
const one = () => folder("one", { "a.json": osv("OSV-1", "left", "1.0.0"), "b.json": osv("OSV-2", "right", "2.0.0") });

describe("an update", () => {
  test("takes a folder, GitHub's tree, a zip, a list, what is exploited and scores, and tells what it took", async () => {
    folder("advisory-database/advisories", {
      "github-reviewed/2025/01/GHSA-aaaa-bbbb-cccc/GHSA-aaaa-bbbb-cccc.json": osv("GHSA-aaaa-bbbb-cccc", "tree", "3.0.0", { aliases: ["CVE-2025-0001"] }),
    });
    writeFileSync(
      join(root, "list.json"),
      JSON.stringify([osv("OSV-5", "listed", "1.1.1"), osv("OSV-6", "gone", "1.0.0", { withdrawn: "2025-01-01T00:00:00Z" })]),
    );
    const kev = folder("kev", {
      "kev.json": {
        catalogVersion: "2026.01.01",
        dateReleased: "2026-01-01T00:00:00Z",
        vulnerabilities: [{ cveID: "CVE-2025-0001" }, { cveID: "CVE-1999-0001" }],
      },
    });
    writeFileSync(join(root, "epss.csv.gz"), gzipSync("#model_version:v2025\ncve,epss,percentile\nCVE-2025-0001,0.97,0.99\n"));
    zipOf(one(), join(root, "all.zip"));
    const manifest = await update([
      join(root, "advisory-database/advisories"),
      join(root, "all.zip"),
      join(root, "list.json"),
      join(kev, "kev.json"),
      join(root, "epss.csv.gz"),
    ]);
    expect(manifest.ecosystems).toMatchObject([{ name: "npm", packages: 4, advisories: 4 }]);
    expect(manifest.sources.map(({ kind, documents }) => [kind, documents])).toEqual([
      ["ghsa", 1],
      ["osv", 2],
      ["osv", 2],
      ["kev", 2],
      ["epss", 1],
    ]);
    expect(manifest.refused).toEqual({ withdrawn: 1 });
    const index = openAdvisories(store.directory);
    expect(index.find("npm", "tree")).toMatchObject([{ id: "GHSA-aaaa-bbbb-cccc" }]);
    expect(index.exploitation("CVE-2025-0001")).toEqual({ kev: true, epss: 0.97 });
    expect(index.find("npm", "gone")).toEqual([]);
    expect(statSync(join(store.directory, "trust", "key.pem")).mode & 0o777).toBe(0o600);
  });

  test("takes an address, and leaves its credentials out of what it keeps", async () => {
    zipOf(one(), join(root, "all.zip"));
    await serving(root, async (url, asked) => {
      const manifest = await update([`${url.replace("://", "://user:pass@")}/all.zip?token=x`]);
      expect(manifest.sources[0]?.name).toBe(`${url}/all.zip`);
      expect(asked).toEqual(["/all.zip?token=x"]);
    });
  });

  test.each([
    ["half of a document", '{"id": "OSV-1", "affected": ['],
    ["something else", '{"hello": 1}'],
  ])("of %s leaves what is in use", async (_, text) => {
    await update([one()]);
    const before = openAdvisories(store.directory).id;
    await expect(update([folder("bad", { "x.json": text })])).rejects.toThrow("bad");
    expect(openAdvisories(store.directory).id).toBe(before);
  });

  test("that would lose most of what is known is refused, unless it is asked for", async () => {
    await update([folder("many", Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`${i}.json`, osv(`OSV-${i}0`, `p${i}`, "1.0.0")])))]);
    await expect(update([one()])).rejects.toThrow(/there were 9 advisories and would be 2/);
    expect((await update([one()], { smaller: true })).sequence).toBe(2);
  });

  test("does not follow links out of a folder", async () => {
    const from = one();
    writeFileSync(join(root, "secret.json"), JSON.stringify(osv("OSV-9", "linked", "1.0.0")));
    symlinkSync(join(root, "secret.json"), join(from, "link.json"));
    await update([from]);
    expect(openAdvisories(store.directory).find("npm", "linked")).toEqual([]);
  });
});

describe("an index that somebody touched", () => {
  beforeEach(async () => {
    await update([one()]);
  });

  const pages = () => join(store.directory, "pages");
  const firstPage = () => join(pages(), readdirSync(pages()).find((name) => statSync(join(pages(), name)).size > 0) as string);
  const current = () => join(store.directory, "indexes", readFileSync(join(store.directory, "current"), "utf8"));

  function reason(): string {
    const index = openAdvisories(store.directory);
    try {
      for (const name of ["left", "right", "none"]) index.find("npm", name);
      return "none";
    } catch (error) {
      return (error as IndexDamaged).reason;
    }
  }

  test("is whole before", () => {
    expect(reason()).toBe("none");
    expect(verifyStore(store)).toMatchObject({ index: { manifest: { sequence: 1 } } });
  });

  test("a flipped byte of a page", () => {
    const bytes = readFileSync(firstPage());
    bytes[5] = (bytes[5] as number) ^ 1;
    writeFileSync(firstPage(), bytes);
    expect(reason()).toBe("page_changed");
    expect(() => verifyStore(store)).toThrow(IndexDamaged);
  });

  test("a page that is gone, cut, or another's", () => {
    const page = firstPage();
    const bytes = readFileSync(page);
    rmSync(page);
    expect(reason()).toBe("page_missing");
    writeFileSync(page, bytes.subarray(0, -1));
    expect(reason()).toBe("page_changed");
    writeFileSync(page, "");
    expect(reason()).toBe("page_changed");
  });

  test("a manifest that names another page", () => {
    const path = `${current()}.json`;
    writeFileSync(path, readFileSync(path, "utf8").replace('"seed":false', '"seed":true'));
    expect(reason()).toBe("signature");
  });

  test("an index that somebody else signed", async () => {
    const theirs = { directory: join(root, "theirs") };
    await updateAdvisories(theirs, { from: [one()], now });
    for (const part of ["indexes", "pages"]) cpSync(join(theirs.directory, part), join(store.directory, part), { recursive: true });
    cpSync(join(theirs.directory, "current"), join(store.directory, "current"));
    rmSync(join(store.directory, "indexes"), { recursive: true });
    cpSync(join(theirs.directory, "indexes"), join(store.directory, "indexes"), { recursive: true });
    expect(reason()).toBe("signature");
  });

  test("an older index, put back whole with its signature", async () => {
    const saved = join(root, "saved");
    cpSync(store.directory, saved, { recursive: true });
    await update([folder("two", { "a.json": osv("OSV-1", "left", "1.0.0"), "b.json": osv("OSV-3", "other", "1.0.0") })]);
    expect(openPreviousAdvisories(store.directory).find("npm", "right")).toHaveLength(1);
    for (const part of ["indexes", "pages", "current"]) {
      rmSync(join(store.directory, part), { recursive: true });
      cpSync(join(saved, part), join(store.directory, part), { recursive: true });
    }
    expect(reason()).toBe("rollback");
  });

  test("a name that leads elsewhere", () => {
    writeFileSync(join(store.directory, "current"), "../../etc/passwd");
    expect(reason()).toBe("manifest");
  });

  test("gone altogether: the seed does not take its place unsaid", () => {
    rmSync(join(store.directory, "current"));
    expect(reason()).toBe("manifest");
  });

  test("a key that is gone or swapped", () => {
    rmSync(join(store.directory, "trust", "trusted.pem"));
    expect(reason()).toBe("signature");
  });

  test("is replaced by the next update", async () => {
    writeFileSync(firstPage(), "");
    await update([one()]);
    expect(reason()).toBe("none");
  });
});

describe("a mirror", () => {
  const mirror = () => ({ directory: join(root, "mirror") });
  const key = () => readFileSync(join(mirror().directory, "trust", "trusted.pem"), "utf8");

  test("is believed for its signature, over any web server, and only what is new is fetched", async () => {
    await updateAdvisories(mirror(), { from: [one()], now });
    await serving(mirror().directory, async (url, asked) => {
      const taken = await update([], { mirror: url, key: key() });
      expect(taken.sequence).toBe(1);
      asked.length = 0;
      await update([], { mirror: url });
      expect(asked.filter((path) => path.startsWith("/pages/"))).toEqual([]);
    });
    expect(openAdvisories(store.directory).find("npm", "left")).toHaveLength(1);
    await expect(update([one()])).rejects.toThrow("its key is pinned");
    expect((await update([one()], { unpin: true })).sequence).toBe(2);
  });

  test("is refused by name where it lies: another key, a changed page, an older build", async () => {
    await updateAdvisories(mirror(), { from: [one()], now });
    const old = join(root, "old");
    cpSync(mirror().directory, old, { recursive: true });
    await updateAdvisories(mirror(), { from: [one()], now: new Date("2026-01-03T00:00:00Z") });
    await update([], { mirror: mirror().directory, key: key() });
    const reasons: string[] = [];
    const tried = async (work: Promise<unknown>) =>
      work.then(
        () => reasons.push("taken"),
        (error: IndexDamaged) => reasons.push(error.reason),
      );
    await tried(update([], { mirror: old }));
    const other = { directory: join(root, "other") };
    await updateAdvisories(other, { from: [one()], now });
    await tried(update([], { mirror: other.directory }));
    const pages = join(mirror().directory, "pages");
    rmSync(join(store.directory, "pages"), { recursive: true });
    for (const page of readdirSync(pages)) writeFileSync(join(pages, page), "x");
    await tried(update([], { mirror: mirror().directory }));
    expect(reasons).toEqual(["rollback", "signature", "page_changed"]);
  });
});

test("without an update there is the seed, which says that it is one", () => {
  expect(openAdvisories(store.directory).manifest.seed).toBe(true);
  expect(existsSync(store.directory)).toBe(false);
});

/** A zip made by Python: one that our own reader did not write. */
function zipOf(from: string, to: string): void {
  execFileSync("python3", ["-c", "import shutil,sys; shutil.make_archive(sys.argv[2][:-4], 'zip', sys.argv[1])", from, to]);
}

async function serving(directory: string, work: (url: string, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url as string);
    try {
      response.end(readFileSync(join(directory, new URL(request.url as string, "http://x").pathname)));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.close();
  }
}
