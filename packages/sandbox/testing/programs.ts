import { describe, expect, it } from "vitest";
import type { Bench } from "./harness.ts";
import { untilThen } from "./waiting.ts";

/** Input, output and the end of a program, in every runtime. */
export function describePrograms(use: () => Bench): void {
  describe("a program", () => {
    it("prints, ends with 0 and says what it was run in", async () => {
      const ran = await use().python("print('hello')");
      expect(ran).toMatchObject({
        status: "completed",
        exit_code: 0,
        signal: null,
        stdout: "hello\n",
        stderr: "",
        limits_hit: [],
        artifacts: [],
        started: true,
      });
      expect(ran.sandbox).toMatchObject({ driver: use().driver.name, tier: use().driver.tier, confinement: use().confinement.id });
      expect(ran.usage.wall_ms).toBeGreaterThan(0);
    });

    it("gets its arguments as given", async () => {
      const args = ["one", "two words", "", "$HOME", "'q'", "ünï"];
      expect(JSON.parse((await use().python("import sys, json; print(json.dumps(sys.argv[1:]))", { args })).stdout)).toEqual(args);
      expect(JSON.parse((await use().node("console.log(JSON.stringify(process.argv.slice(2)))", { args })).stdout)).toEqual(args);
      expect((await use().bash(`printf '%s\\n' "$@"`, { args })).stdout).toBe(`${args.join("\n")}\n`);
    });

    it("gets its environment and nothing of the agent's", async () => {
      process.env.AGENT_SECRET_FOR_TEST = "do-not-leak";
      const env = { GREETING: "héllo 'you'", EMPTY: "" };
      const ran = await use().python("import os, json; print(json.dumps(dict(os.environ)))", { env });
      delete process.env.AGENT_SECRET_FOR_TEST;
      const seen = JSON.parse(ran.stdout);
      expect(seen).toMatchObject(env);
      expect(ran.stdout).not.toContain("do-not-leak");
      expect(Object.keys(seen).filter((name) => name.startsWith("PLASTRON_"))).toEqual([]);
      expect((await use().bash(`printf %s "$GREETING"`, { env })).stdout).toBe(env.GREETING);
      expect((await use().node("process.stdout.write(process.env.GREETING)", { env })).stdout).toBe(env.GREETING);
    });

    it("reads its standard input to the end", async () => {
      const stdin = `${"line of input\n".repeat(20_000)}last ✓`;
      expect((await use().python("import sys; print(len(sys.stdin.read()))", { stdin })).stdout).toBe(`${stdin.length}\n`);
      expect(
        (await use().node("let n = 0; process.stdin.setEncoding('utf8').on('data', d => n += d.length).on('end', () => console.log(n))", { stdin })).stdout,
      ).toBe(`${stdin.length}\n`);
      expect((await use().bash("wc -l", { stdin })).stdout.trim()).toBe("20000");
    });

    it("sees the end of input where none was given", async () => {
      expect((await use().python("print(repr(input()))")).stderr).toContain("EOFError");
    });

    it("is fed while it runs", async () => {
      async function* stdin() {
        yield Buffer.from("a\n");
        await new Promise((resolve) => setTimeout(resolve, 100));
        yield Buffer.from("b\n");
      }
      const ran = await use().python("import sys\nfor line in sys.stdin: print('got', line.strip(), flush=True)", {}, { stdin: stdin() });
      expect(ran.stdout).toBe("got a\ngot b\n");
    });

    it("reports its exit code", async () => {
      expect(await use().python("import sys; sys.exit(7)")).toMatchObject({ status: "failed", exit_code: 7, signal: null });
      expect(await use().node("process.exit(3)")).toMatchObject({ status: "failed", exit_code: 3, signal: null });
      expect(await use().bash("exit 137")).toMatchObject({ status: "failed", exit_code: 137, signal: null });
    });

    it("reports the signal that ended it, and not as an exit code", async () => {
      expect(await use().python("import os; os.kill(os.getpid(), 9)")).toMatchObject({ status: "failed", exit_code: null, signal: "SIGKILL" });
      expect(await use().bash("kill -TERM $$")).toMatchObject({ status: "failed", exit_code: null, signal: "SIGTERM" });
      expect(await use().python("import os; os.abort()")).toMatchObject({ status: "failed", exit_code: null, signal: "SIGABRT" });
    });

    it("handles signals that it asks for", async () => {
      const code = "import signal, os\nsignal.signal(signal.SIGUSR1, lambda *_: print('caught'))\nos.kill(os.getpid(), signal.SIGUSR1)";
      expect((await use().python(code)).stdout).toBe("caught\n");
      expect((await use().python("import os, signal\ntry: os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt: print('interrupted')")).stdout).toBe(
        "interrupted\n",
      );
    });

    it("keeps stdout and stderr apart", async () => {
      const ran = await use().python("import sys, logging; logging.warning('log'); print('out')");
      expect(ran).toMatchObject({ stdout: "out\n", stderr: "WARNING:root:log\n" });
      expect(await use().node("console.log('out'); console.error('err')")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
      expect(await use().bash("echo out; echo err > /dev/stderr")).toMatchObject({ stdout: "out\n", stderr: "err\n" });
    });

    it("shows its uncaught exception with the line", async () => {
      const ran = await use().python("x = 1\nraise ValueError('no ✗')");
      expect(ran).toMatchObject({ status: "failed", exit_code: 1 });
      expect(ran.stderr).toMatch(/line 2[\s\S]*ValueError: no ✗/);
      expect((await use().node("\nthrow new Error('boom')")).stderr).toContain("Error: boom");
    });

    it("prints 304,487 bytes whole", async () => {
      for (const ran of [await use().python("print('x' * 304486)"), await use().node("console.log('x'.repeat(304486))")]) {
        expect(ran.stdout.length).toBe(304_487);
        expect(ran).toMatchObject({ status: "completed", stdout_truncated: false });
      }
    });

    it("passes unicode both ways", async () => {
      const text = "日本語 — ünïcödé — 🦊 \u0301";
      expect((await use().python(`print(${JSON.stringify(text)})`)).stdout).toBe(`${text}\n`);
      expect((await use().node(`console.log(${JSON.stringify(text)})`)).stdout).toBe(`${text}\n`);
      expect((await use().bash(`echo '${text}'`)).stdout).toBe(`${text}\n`);
    });

    it("is shown as it prints", async () => {
      const first = Promise.withResolvers<void>();
      const code = "print('first')\ninput()\nprint('second')"; // goes on when the first was seen
      const onOutput = (text: string) => void (text.includes("first") && first.resolve());
      expect((await use().watch({ runtime: "python3", code }, onOutput, { stdin: untilThen(first.promise) })).stdout).toBe("first\nsecond\n");
    });
  });
}
