import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Image, type PackageRequest, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxDriver } from "../driver.ts";
import { openLocalDriver } from "../drivers/local/index.ts";
import { type Bench, bench } from "../testing/harness.ts";
import { type Outside, outside, wayOut } from "../testing/outside.ts";
import { type LocalRegistry, pythonIndex } from "./testing/registry.ts";

const isRoot = process.getuid?.() === 0;
const INDEX = "packages.test";

describe.runIf(isRoot)("[needs: root] a runtime with packages", () => {
  const home = mkdtempSync(join(tmpdir(), "plastron-images-"));
  const archives = join(home, "archives");
  let registry: LocalRegistry;
  let world: Outside;
  let driver: SandboxDriver;
  let use: Bench;
  beforeAll(async () => {
    mkdirSync(archives);
    execFileSync("/usr/bin/python3", [fileURLToPath(new URL("testing/wheels.py", import.meta.url)), archives]);
    for (const wheel of globSync("/usr/share/python-wheels/{setuptools,wheel}-*.whl")) cpSync(wheel, join(archives, wheel.split("/").pop() as string));
    [registry, world] = await Promise.all([pythonIndex(archives), outside()]);
    driver = await open();
    use = bench(driver, compileDefault(TYPICAL_HOST).confinement);
  }, 60_000);
  afterAll(async () => {
    await driver?.close();
    await Promise.all([registry?.close(), world?.close()]);
    rmSync(home, { recursive: true, force: true });
  });

  const open = () =>
    openLocalDriver({
      home: join(home, "state"),
      egress: { ...world.egress, hosts: { [INDEX]: "127.0.0.1" } },
      images: {
        confine: (hosts) => wayOut({ http: hosts.map(({ host, port }) => ({ hosts: [host], ports: [[port, port]], audit: false })) }),
        env: { PIP_INDEX_URL: `http://${INDEX}:${registry.port}/simple`, PIP_TRUSTED_HOST: INDEX, PIP_CONFIG_FILE: "/dev/null", HOME: "/nonexistent" },
      },
    });
  let said = "";
  const build = (packages: PackageRequest, more: { tenant?: string; wall_ms?: number; signal?: AbortSignal } = {}): Promise<Image> => {
    said = "";
    if (!driver.images) throw new Error("the driver has no images");
    return driver.images.build({
      ...{ packages, tenant: "acme", wall_ms: 120_000, ...more },
      progress(chunk) {
        said += Buffer.from(chunk).toString();
      },
    });
  };
  const python = (...requirements: string[]) => build({ from: "python3", requirements: requirements.join("\n") });

  it("installs what is named and what that needs, and programs import it", async () => {
    const image = await python("tree").catch((e) => {
      console.log(said);
      throw e;
    });
    expect(image.packages.map(({ name, version }) => `${name} ${version}`)).toEqual(["leaf 1.0", "tree 1.0"]);
    const ran = await use.python("import tree, json; print(tree.VALUE, tree.__file__)", { image: image.id });
    expect(ran).toMatchObject({ stdout: "tree of leaf 1.0 /usr/lib/python3/dist-packages/tree/__init__.py\n", stderr: "", status: "completed" });
  }, 60_000);
});
