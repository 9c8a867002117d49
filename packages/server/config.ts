import { z } from "zod";

const port = z.coerce.number().int().min(0).max(65_535);
const bytes = (otherwise: number) =>
  z.coerce
    .number()
    .int()
    .min(1024)
    .max(2 ** 50)
    .default(otherwise);
const count = (otherwise: number) => z.coerce.number().int().min(1).max(100_000).default(otherwise);
/** As Go reads a boolean, since Dify's server does. */
const flag = (otherwise: boolean) =>
  z
    .enum(["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"])
    .transform((text) => /^[1tT]/.test(text))
    .default(otherwise);

const schema = z.object({
  PLASTRON_HOME: z.string().min(1).default(".plastron"),
  PLASTRON_HOST: z.string().default("127.0.0.1"),
  PLASTRON_PORT: port.default(7300),
  PLASTRON_AGENT_SOCKET: z.string().optional(),
  PLASTRON_ADMIN_KEY: z.string().min(8).max(512).optional(),
  PLASTRON_DIFY_PORT: port.optional(),
  PLASTRON_LIFELINE: z.enum(["stdin"]).optional(),
  PLASTRON_LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  /** Whether runs may ask for a network beyond what their policy gives. */
  PLASTRON_RUN_NETWORK: z.enum(["allow", "deny"]).default("allow"),
  /** Scans at once on this server; each uses all cores. */
  PLASTRON_SCAN_AT_ONCE: count(1),
  /** Hosts that tenants may have repositories fetched from, parted by commas; none by default: the server would reach out for them. */
  PLASTRON_SCAN_GIT_HOSTS: z
    .string()
    .default("")
    .transform((text) =>
      text
        .split(",")
        .map((host) => host.trim().toLowerCase())
        .filter(Boolean),
    ),
  /** The GitHub App that this server is: docs/guides/github-app.md. */
  PLASTRON_GITHUB_APP_ID: z.coerce
    .number()
    .int()
    .min(1)
    .max(2 ** 53 - 1)
    .optional(),
  PLASTRON_GITHUB_PRIVATE_KEY_FILE: z.string().optional(),
  PLASTRON_GITHUB_WEBHOOK_SECRET: z.string().optional(),
  PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: z.string().optional(),
  /** Of GitHub Enterprise: repositories are fetched from the same host. Unencrypted on this machine alone, as it is sent tokens. */
  PLASTRON_GITHUB_API_URL: z
    .string()
    .refine(isApiRoot, "an https address without credentials and query, like https://github.example/api/v3")
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  /** Where `plastron advisories update` keeps its index; without it, or where none was made yet, scans have the seed. */
  PLASTRON_ADVISORIES: z.string().min(1).optional(),
  /** Of one upload; four times as much unpacked. */
  PLASTRON_ARTIFACT_BYTES: bytes(64 * 2 ** 20),
  PLASTRON_TENANT_ARTIFACT_BYTES: bytes(4 * 2 ** 30),
  PLASTRON_MAX_RUNNING: count(32),
  PLASTRON_MAX_IN_FLIGHT: count(512),
  PLASTRON_TENANT_MAX_IN_FLIGHT: count(512),
  /** 0 keeps records for ever. */
  PLASTRON_RETENTION_DAYS: z.coerce.number().int().min(0).max(36_500).default(30),
  DATABASE_URL: z.string().optional(),
  API_KEY: z.string().min(8).max(512).optional(),
  SANDBOX_PORT: port.optional(),
  MAX_WORKERS: count(32),
  MAX_REQUESTS: count(512),
  WORKER_TIMEOUT: z.coerce.number().int().min(1).max(600).default(5),
  ENABLE_NETWORK: flag(true),
});

function isApiRoot(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password || url.search || url.hash) return false;
  return url.protocol === "https:" || (url.protocol === "http:" && ["127.0.0.1", "[::1]", "localhost"].includes(url.hostname));
}

export type Config = z.infer<typeof schema>;

const WAY_OUT = "a sandbox has no network but what its policy or its request names, through a proxy of the platform's own";

/** Dify's variables that mean nothing here, and why: said in the log, so that nobody believes they work. */
const WITHOUT_MEANING: Record<string, string> = {
  ENABLE_PRELOAD: "preload is accepted and never executed: it ran before the confinement was complete (CVE-2024-10252)",
  PYTHON_PATH: "the sandbox uses the interpreter of its own root",
  NODEJS_PATH: "the sandbox uses the interpreter of its own root",
  PYTHON_LIB_PATH: "the sandbox has the libraries of its own root",
  PIP_MIRROR_URL: "packages are installed in the sandbox's root by its operator, never by the server",
  ALLOWED_SYSCALLS: "system calls are allowed by a policy: store one named dify-sandbox",
  HTTP_PROXY: WAY_OUT,
  HTTPS_PROXY: WAY_OUT,
  SOCKS5_PROXY: WAY_OUT,
};

/** The configuration of the process's environment. An empty variable counts as absent. @throws Error that names the variable */
export function readConfig(environment: Record<string, string | undefined>): { config: Config; ignored: { variable: string; why: string }[] } {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "));
  const ignored = Object.entries(WITHOUT_MEANING).filter(([variable]) => variable in given);
  return { config: parsed.data, ignored: ignored.map(([variable, why]) => ({ variable, why })) };
}
