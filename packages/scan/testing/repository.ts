import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const ENV = {
  ...{ GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", GIT_TERMINAL_PROMPT: "0" },
  ...{ GIT_AUTHOR_NAME: "Ann", GIT_AUTHOR_EMAIL: "ann@example.test", GIT_COMMITTER_NAME: "Ann", GIT_COMMITTER_EMAIL: "ann@example.test" },
};

/** A real git repository for a test, in a temporary directory. */
export class Repository {
  readonly path: string;

  constructor(path = mkdtempSync(join(tmpdir(), "plastron-git-"))) {
    this.path = path;
  }

  static made(): Repository {
    const repository = new Repository();
    repository.git("init", "-q", "-b", "main");
    return repository;
  }

  /** What git prints; throws with what it said where it fails. `as` puts another author. */
  git(...args: string[]): string {
    return this.gitWith({}, ...args);
  }

  gitWith(env: Record<string, string>, ...args: string[]): string {
    return execFileSync("git", args, { cwd: this.path, env: { ...process.env, ...ENV, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): this {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.path, path)), { recursive: true });
      writeFileSync(join(this.path, path), content);
    }
    return this;
  }

  /** Writes the files, commits all that is there, and gives the commit. */
  commit(files: Readonly<Record<string, string | Uint8Array>>, message = "a change"): string {
    this.write(files);
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", message);
    return this.git("rev-parse", "HEAD");
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
