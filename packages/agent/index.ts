/** The daemon as a value, for those who start it inside their own process; main.ts is the one that runs as a program. */
export { type Agent, type AgentParts, startAgent } from "./agent.ts";
export { type AgentConfig, readConfig } from "./config.ts";
