import type { Env, ReadFile } from "./pip.ts";
import { placeOf, type Registry, refused } from "./registry.ts";

const CREDENTIAL = /^\/\/.*:(_authToken|_auth|username|_password|certfile|keyfile)$/;

/**
 * Where npm gets packages from on this machine: its configuration files, weakest first, then npm_config_*. `own`: npm's default.
 * Errors: packages_failed with the setting that a build in a sandbox cannot follow.
 */
export function npmRegistry(env: Env, read: ReadFile, own: string): Registry {
  const found = settings(env, read);
  const from = (name: string) => `npm's ${name} (${found.get(name)?.from})`;
  const value = (name: string) => found.get(name)?.value;
  for (const name of ["https-proxy", "proxy"]) {
    if (value(name) && !/^(null|false)$/.test(value(name) as string))
      throw refused(from(name), "is set, and builds cannot go through a proxy", "Name a registry or mirror that is reached directly.");
  }
  if (env.https_proxy || env.HTTPS_PROXY)
    throw refused("https_proxy", "is set, and builds cannot go through a proxy", "Name a registry or mirror that is reached directly.");
  const registry = value("registry") ?? own;
  const hosts = [placeOf(registry, value("registry") === undefined ? "npm's own registry" : from("registry"))];
  const options = ["--registry", registry];
  for (const [name, { value: url }] of found) {
    if (!/^@[^:/]+:registry$/.test(name)) continue;
    hosts.push(placeOf(url, from(name)));
    options.push(`--${name}=${url}`);
  }
  for (const name of found.keys()) {
    const host = CREDENTIAL.test(name) ? name.slice(2).split("/")[0]?.replace(/:\d+$/, "") : undefined;
    if (host !== undefined && hosts.some((one) => one.host === host))
      throw refused(
        from(name),
        "is a credential, which may not enter a sandbox that runs install scripts",
        "Serve packages from a registry or mirror that asks for none, and name it there.",
      );
  }
  if (value("strict-ssl") === "false") options.push("--strict-ssl=false");
  return { hosts, options, directories: [], certificates: value("cafile") ?? null };
}

function settings(env: Env, read: ReadFile): Map<string, { value: string; from: string }> {
  const home = env.HOME ?? "/root";
  const lower = Object.fromEntries(Object.entries(env).map(([name, value]) => [name.toLowerCase(), value]));
  const files = ["/usr/etc/npmrc", "/etc/npmrc", "/usr/local/etc/npmrc", lower.npm_config_globalconfig, lower.npm_config_userconfig ?? `${home}/.npmrc`];
  const found = new Map<string, { value: string; from: string }>();
  for (const file of files) {
    for (const line of file === undefined ? [] : (read(file) ?? "").split(/\r?\n/)) {
      const pair = /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line);
      if (!pair || file === undefined) continue;
      const value = (pair[2] as string).replace(/^"(.*)"$/, "$1").replace(/\$\{([^}?]+)\??\}/g, (_, name: string) => env[name] ?? "");
      found.set(pair[1] as string, { value, from: file });
    }
  }
  for (const [variable, value] of Object.entries(env)) {
    const name = /^npm_config_(.+)$/i.exec(variable)?.[1];
    if (name && value) found.set(name.startsWith("@") || name.startsWith("//") ? name : name.toLowerCase().replace(/(?!^)_/g, "-"), { value, from: variable });
  }
  return found;
}
