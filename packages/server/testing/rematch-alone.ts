/** A server of a process of its own that holds what is stored against new advisories, for a test to kill: `rematch-alone.ts '{"connection", "agent", "advisories"}'`. */
import { startTestServer } from "./harness.ts";

const { connection, agent, advisories } = JSON.parse(process.argv[2] as string);
const server = await startTestServer(connection, agent, {}, { advisories, advisoriesMs: 3_600_000, serverId: "alone" });
await server.rematch();
await server.close();
