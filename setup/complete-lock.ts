/**
 * Run by hand after `npm install PACKAGE`: `node setup/complete-lock.ts`.
 *
 * Native packages list one optional package for each platform. A mirror may serve only some of them; npm then leaves the others
 * out of package-lock.json, and `npm ci` refuses that lock file. This adds the absent ones with the platform that their name tells,
 * so that npm ci is content and never fetches them here. They have no hash: add them only for platforms that we do not support.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Entry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  [field: string]: unknown;
}

/** Optional packages that an entry names and the lock file has not: name → version. */
export function absentPlatforms(packages: Record<string, Entry>): Map<string, string> {
  const absent = new Map<string, string>();
  for (const entry of Object.values(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!(`node_modules/${name}` in packages)) absent.set(name, version);
    }
  }
  return absent;
}

/** The lock entry of a platform package, or an Error where its name does not tell a platform other than glibc on x64 or arm64. */
export function platformEntry(name: string, version: string): Entry {
  const os = /android|darwin|win32|freebsd|openharmony|linux/.exec(name)?.[0];
  const cpu = /arm64|x64|ia32|ppc64|s390x|riscv64|loong64|wasm32|arm(?=-|$)/.exec(name)?.[0];
  const musl = name.endsWith("musl");
  const supported = os === "linux" && (cpu === "x64" || cpu === "arm64") && !musl;
  if (!os || !cpu || supported) throw new Error(`${name}@${version} is missing from the lock file and cannot be added without its hash`);
  return { version, cpu: [cpu], ...(musl ? { libc: ["musl"] } : {}), dev: true, optional: true, os: [os] };
}

if (import.meta.main) {
  const path = join(import.meta.dirname, "../package-lock.json");
  const lock = JSON.parse(readFileSync(path, "utf8")) as { packages: Record<string, Entry> };
  const absent = absentPlatforms(lock.packages);
  for (const [name, version] of absent) lock.packages[`node_modules/${name}`] = platformEntry(name, version);
  lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${absent.size} platform packages added`);
}
