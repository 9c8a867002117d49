/** What people run today on the same tree: a secrets scanner, a linter's security rules, a Python security linter. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Measured } from "../measure.ts";
import { npmPeers } from "./corpus.ts";

export interface PeerRun {
  peer: string;
  /** Ours that looks for the same. */
  beside: "secrets" | "code";
  seconds: number;
  /** Of the files that it reads. */
  bytes: number;
  mb_per_s: number;
  findings: number;
}

const PACKAGES = ["secretlint@13.0.6", "@secretlint/secretlint-rule-preset-recommend@13.0.7", "eslint@10.15.0", "eslint-plugin-security@4.1.0"];
const BANDIT = "/usr/bin/bandit";
const LONGEST_MS = 900_000;

/** Bytes of the tree's files with these endings; all for none. */
export type BytesOf = (...endings: string[]) => number;

/** Each peer once over the tree, its own parallelism as it comes. */
export function runPeers(tree: string, bytesOf: BytesOf, say: (what: string) => void): Measured<PeerRun>[] {
  const directory = npmPeers(PACKAGES, say);
  const scratch = mkdtempSync(join(tmpdir(), "plastron-bench-"));
  try {
    say("secretlint");
    const secretlint = directory === null ? { unavailable: "secretlint could not be installed" } : runSecretlint(directory, tree, scratch, bytesOf());
    say("eslint-plugin-security");
    const eslint = directory === null ? { unavailable: "eslint could not be installed" } : runEslint(directory, tree, scratch, bytesOf(".js", ".mjs", ".cjs"));
    say("bandit");
    const bandit = existsSync(BANDIT) ? runBandit(tree, scratch, bytesOf(".py")) : { unavailable: "bandit is not installed (apt-get install bandit)" };
    return [secretlint, eslint, bandit];
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runSecretlint(directory: string, tree: string, scratch: string, bytes: number): Measured<PeerRun> {
  writeFileSync(join(directory, ".secretlintrc.json"), JSON.stringify({ rules: [{ id: "@secretlint/secretlint-rule-preset-recommend" }] }));
  const output = join(scratch, "secretlint.json");
  const args = [
    join(directory, "node_modules/.bin/secretlint"),
    "--secretlintrc",
    join(directory, ".secretlintrc.json"),
    "--no-glob",
    "--format",
    "json",
    "--output",
    output,
  ];
  const { seconds, failed } = timed(process.execPath, [...args.slice(0, 3), "--format", "json", "--output", output, `${tree}/**/*`], directory);
  if (failed || !existsSync(output)) return { unavailable: `secretlint failed: ${failed ?? "it wrote nothing"}` };
  const files = JSON.parse(readFileSync(output, "utf8")) as { messages: unknown[] }[];
  return result(
    "secretlint (preset recommend)",
    "secrets",
    seconds,
    bytes,
    files.reduce((sum, { messages }) => sum + messages.length, 0),
  );
}

function runEslint(directory: string, tree: string, scratch: string, bytes: number): Measured<PeerRun> {
  const config = join(directory, "eslint.config.mjs");
  writeFileSync(
    config,
    'import security from "eslint-plugin-security";\nexport default [{ ...security.configs.recommended, files: ["**/*.js", "**/*.mjs", "**/*.cjs"], linterOptions: { reportUnusedDisableDirectives: "off" } }];\n',
  );
  const output = join(scratch, "eslint.json");
  const args = [
    "--max-old-space-size=6144",
    join(directory, "node_modules/.bin/eslint"),
    "--config",
    config,
    "--no-ignore",
    "--no-inline-config",
    "--format",
    "json",
    "--output-file",
    output,
    tree,
  ];
  const { seconds, failed } = timed(process.execPath, args, tree);
  if (!existsSync(output)) return { unavailable: `eslint failed: ${failed ?? "it wrote nothing"}` };
  const files = JSON.parse(readFileSync(output, "utf8")) as { messages: { ruleId: string | null }[] }[];
  return result(
    "eslint-plugin-security",
    "code",
    seconds,
    bytes,
    files.reduce((sum, { messages }) => sum + messages.filter(({ ruleId }) => ruleId).length, 0),
  );
}

function runBandit(tree: string, scratch: string, bytes: number): Measured<PeerRun> {
  const output = join(scratch, "bandit.json");
  const { seconds, failed } = timed(BANDIT, ["-r", "-q", "-f", "json", "-o", output, tree], tree);
  if (!existsSync(output)) return { unavailable: `bandit failed: ${failed ?? "it wrote nothing"}` };
  const { results } = JSON.parse(readFileSync(output, "utf8")) as { results: unknown[] };
  return result("bandit", "code", seconds, bytes, results.length);
}

function result(peer: string, beside: PeerRun["beside"], seconds: number, bytes: number, findings: number): PeerRun {
  return { peer, beside, seconds: Math.round(seconds * 100) / 100, bytes, mb_per_s: Math.round((bytes / 1e6 / seconds) * 100) / 100, findings };
}

/** Linters end with 1 where they find something. */
function timed(command: string, args: string[], cwd: string): { seconds: number; failed: string | null } {
  const start = performance.now();
  const { status, signal, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 256 * 2 ** 20,
    timeout: LONGEST_MS,
    killSignal: "SIGKILL",
  });
  const failed =
    error?.message ?? (signal ? `ended by ${signal}` : status !== null && status > 1 ? stderr.trim().split("\n").at(-1) || `exit ${status}` : null);
  return { seconds: (performance.now() - start) / 1000, failed: failed ?? null };
}
