import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Image, type PackageRequest, TYPICAL_HOST } from "@plastron/contracts";
import { compileDefault } from "@plastron/policy";
import type { SandboxDriver } from "../../driver.ts";
import { openLocalDriver } from "../../drivers/local/index.ts";
import { type Bench, bench } from "../../testing/harness.ts";
import { type Outside, outside, wayOut } from "../../testing/outside.ts";
import { type LocalRegistry, type NodePackage, nodeRegistry, pythonIndex } from "./registry.ts";

/** The name that the registries have, on this machine's loopback. */
export const INDEX = "packages.test";

const WHEELS = fileURLToPath(new URL("wheels.py", import.meta.url));

/** A local driver that builds images from registries of its own, and what a test needs beside it. */
export interface Stage {
  home: string;
  archives: string;
  state: string;
  registry: LocalRegistry;
  npm: LocalRegistry;
  world: Outside;
  driver: SandboxDriver;
  use: Bench;
  /** What the installer has printed in the last build. */
  said(): string;
  build(packages: PackageRequest, more?: { tenant?: string; wall_ms?: number; signal?: AbortSignal }): Promise<Image>;
  python(...requirements: string[]): Promise<Image>;
  node(dependencies: Record<string, string>): Promise<Image>;
  /** Variables that pip and npm would read, beside those that name the registries. */
  env: Record<string, string>;
  /** Puts a package into the index whose code runs when it is built. */
  hostile(name: string, code: string): void;
  /** Another driver on the same state, once this one is closed. */
  open(): Promise<SandboxDriver>;
  close(): Promise<void>;
}

export async function stage(nodePackages: readonly NodePackage[] = []): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), "plastron-images-"));
  const archives = join(home, "archives");
  mkdirSync(archives);
  execFileSync("/usr/bin/python3", [WHEELS, archives]);
  for (const wheel of globSync("/usr/share/python-wheels/{setuptools,wheel}-*.whl")) cpSync(wheel, join(archives, wheel.split("/").pop() as string));
  const [registry, npm, world] = await Promise.all([pythonIndex(archives), nodeRegistry(nodePackages, INDEX), outside()]);
  const env: Record<string, string> = {
    ...{ PIP_INDEX_URL: `http://${INDEX}:${registry.port}/simple`, PIP_TRUSTED_HOST: INDEX, PIP_CONFIG_FILE: "/dev/null", HOME: "/nonexistent" },
    npm_config_registry: `http://${INDEX}:${npm.port}/`,
  };
  const state = join(home, "state");
  const open = () =>
    openLocalDriver({
      home: state,
      egress: { ...world.egress, hosts: { [INDEX]: "127.0.0.1" } },
      images: { confine: (hosts) => wayOut({ http: hosts.map(({ host, port }) => ({ hosts: [host], ports: [[port, port]], audit: false })) }), env },
    });
  let said = "";
  const driver = await open();
  const made: Stage = {
    ...{ home, archives, state, registry, npm, world, driver, env, open },
    use: bench(driver, compileDefault(TYPICAL_HOST).confinement),
    said: () => said,
    build(packages, more = {}) {
      said = "";
      const progress = (chunk: Uint8Array): void => {
        said += Buffer.from(chunk).toString();
      };
      if (!made.driver.images) throw new Error("the driver builds no images");
      return made.driver.images.build({ packages, tenant: "acme", wall_ms: 120_000, progress, ...more });
    },
    python: (...requirements) => made.build({ from: "python3", requirements: requirements.join("\n") }),
    node: (dependencies) => made.build({ from: "nodejs", package_json: JSON.stringify({ dependencies }), package_lock: null }),
    hostile: (name, code) => void execFileSync("/usr/bin/python3", [WHEELS, archives, name], { input: code }),
    async close() {
      await made.driver.close();
      await Promise.all([registry.close(), npm.close(), world.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
  return made;
}
