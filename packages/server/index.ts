/** The server as a part: what main.ts and the tests put together. The process is started by main.ts. */
export { compose, type Parts, type Server } from "./compose.ts";
export { type Config, readConfig } from "./config.ts";
