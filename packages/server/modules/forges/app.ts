import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { PlastronError } from "@plastron/contracts";
import type { Config } from "../../config.ts";

/** The GitHub App that this server is. */
export interface GithubApp {
  readonly id: number;
  readonly key: KeyObject;
  readonly webhookSecret: string;
  /** The API's root, and where repositories are fetched from. */
  readonly api: string;
  readonly git: string;
  /** Whether both are where the operator said, and not GitHub's own. */
  readonly configured: boolean;
}

export type GithubConfig = Pick<
  Config,
  | "PLASTRON_GITHUB_APP_ID"
  | "PLASTRON_GITHUB_PRIVATE_KEY_FILE"
  | "PLASTRON_GITHUB_WEBHOOK_SECRET"
  | "PLASTRON_GITHUB_WEBHOOK_SECRET_FILE"
  | "PLASTRON_GITHUB_API_URL"
>;

const API = "https://api.github.com";
const LEAST_SECRET = 16;

/** The app of the configuration, or null where there is none. @throws Error that names the variable, where it is there in part or cannot be used */
export function openGithubApp(config: GithubConfig): GithubApp | null {
  const { PLASTRON_GITHUB_APP_ID: id, PLASTRON_GITHUB_PRIVATE_KEY_FILE: keyFile } = config;
  const secret = config.PLASTRON_GITHUB_WEBHOOK_SECRET ?? read("PLASTRON_GITHUB_WEBHOOK_SECRET_FILE", config.PLASTRON_GITHUB_WEBHOOK_SECRET_FILE)?.trim();
  const given = { PLASTRON_GITHUB_APP_ID: id, PLASTRON_GITHUB_PRIVATE_KEY_FILE: keyFile, PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: secret };
  const missing = Object.entries(given).filter(([, value]) => value === undefined);
  if (missing.length === Object.keys(given).length) return null;
  if (id === undefined || keyFile === undefined || secret === undefined)
    throw new Error(`${missing.map(([name]) => name).join(", ")}: needed for a GitHub App`);
  if (secret.length < LEAST_SECRET) throw new Error(`PLASTRON_GITHUB_WEBHOOK_SECRET_FILE: the secret has less than ${LEAST_SECRET} characters`);
  const api = config.PLASTRON_GITHUB_API_URL ?? API;
  return { id, key: keyOf(keyFile), webhookSecret: secret, api, git: gitRootOf(api), configured: api !== API };
}

/** @throws PlastronError not_configured */
export function demandApp(app: GithubApp | null): GithubApp {
  if (!app) throw new PlastronError("not_configured", "This server is no GitHub App");
  return app;
}

/** What says "I am the app" for nine minutes: RS256 (RFC 7519; https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app). */
export function appToken({ id, key }: Pick<GithubApp, "id" | "key">, now = Date.now()): string {
  const seconds = Math.floor(now / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  // A minute back, as clocks differ; GitHub takes at most ten minutes ahead.
  const signed = `${part({ alg: "RS256", typ: "JWT" })}.${part({ iat: seconds - 60, exp: seconds + 540, iss: String(id) })}`;
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key).toString("base64url")}`;
}

/** `https://HOST/api/v3` is GitHub Enterprise Server's, `https://api.HOST` GitHub's own and Enterprise Cloud's. */
function gitRootOf(api: string): string {
  const url = new URL(api);
  return `${url.protocol}//${url.host.replace(/^api\./, "")}`;
}

function keyOf(file: string): KeyObject {
  const variable = "PLASTRON_GITHUB_PRIVATE_KEY_FILE";
  try {
    const key = createPrivateKey(read(variable, file) as string);
    if (key.asymmetricKeyType !== "rsa" || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) throw new Error("");
    return key;
  } catch (error) {
    // What OpenSSL says may quote the key.
    throw (error as Error).message.startsWith(variable) ? error : new Error(`${variable}: ${file} holds no RSA private key of 2048 bits or more (PEM)`);
  }
}

function read(variable: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Error(`${variable}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code}); it must be readable for the server's user`);
  }
}
