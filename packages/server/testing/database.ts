import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, startCluster } from "../database/cluster.ts";
import { migrate } from "../database/migrate.ts";
import { type Connection, openClient } from "../database/pool.ts";
import type { Identity } from "../database/socket-directory.ts";

/** A uid without a passwd entry, as the server's own may be. */
export const TEST_IDENTITY: Identity = { uid: 64_321, gid: 64_321 };

/** Only root needs another identity. */
export function testIdentity(): { identity?: Identity } {
  return process.getuid?.() === 0 ? { identity: TEST_IDENTITY } : {};
}

export interface TestCluster {
  cluster: Cluster;
  /** A database of its own, made from a migrated template in some 30 ms. */
  database(): Promise<Connection>;
  stop(): Promise<void>;
}

/** A real PostgreSQL for one test file, thrown away with `stop`. */
export async function startTestCluster(): Promise<TestCluster> {
  const home = mkdtempSync(join(tmpdir(), "plastron-test-pg-"));
  chmodSync(home, 0o755);
  const cluster = await startCluster({ home: join(home, "pg"), ...testIdentity(), settings: ["fsync=off", "max_wal_size=64MB"] });
  const admin = await openClient(cluster.connection, () => {});
  await admin.query("create database template_plastron");
  const template = await openClient({ ...cluster.connection, database: "template_plastron" }, () => {});
  await migrate(template);
  await template.end();
  let made = 0;
  return {
    cluster,
    async database() {
      const name = `test_${++made}`;
      await admin.query(`create database ${name} template template_plastron strategy file_copy`);
      return { ...cluster.connection, database: name };
    },
    async stop() {
      await admin.end();
      await cluster.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
