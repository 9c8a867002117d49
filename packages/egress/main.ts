import { Socket } from "node:net";
import { serveDriver } from "./control/start.ts";

/** The egress process: `node packages/egress/main.ts`, started by a driver with its control connection as descriptor 3. */
serveDriver(new Socket({ fd: 3 }));
