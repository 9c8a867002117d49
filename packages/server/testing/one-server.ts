/** A server in a process of its own, for tests that kill it. Prints its address when it listens; configured by the environment, as the real one is. */
import { startTestServer } from "./harness.ts";

const { connection, agent } = JSON.parse(process.env.ONE_SERVER as string) as { connection: Parameters<typeof startTestServer>[0]; agent: string };
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("PLASTRON_"))) as Record<string, string>;
const server = await startTestServer(connection, agent, environment, { serverId: "doomed", forgePace: { pollMs: 100, beatMs: 100, pauseMs: 1 } });
process.stdout.write(`${server.url}\n`);
