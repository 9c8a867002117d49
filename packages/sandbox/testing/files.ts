import { DEFAULT_LIMITS, MIB } from "@plastron/contracts";
import { describe, expect, it } from "vitest";
import { artifactTexts, type Bench } from "./harness.ts";

const file = (path: string, content: string, executable = false) => ({ path, content, encoding: "utf8" as const, executable });

/** Files in, files out, and the tricks with both. */
export function describeFiles(use: () => Bench): void {
  describe("files", () => {
    it("are there before the program starts, with their bytes and modes", async () => {
      const files = [
        file("data/deep/input.txt", "héllo"),
        file("tool.sh", "#!/bin/bash\necho tool ran", true),
        { path: "bytes.bin", content: Buffer.from([0, 255, 10, 0]).toString("base64"), encoding: "base64" as const, executable: false },
      ];
      const ran = await use().python(
        "print(open('data/deep/input.txt').read(), list(open('bytes.bin','rb').read())); import subprocess; print(subprocess.getoutput('./tool.sh'))",
        { files },
      );
      expect(ran).toMatchObject({ stderr: "", stdout: "héllo [0, 255, 10, 0]\ntool ran\n" });
    });

    it("beside the program can be imported by it", async () => {
      expect((await use().python("import mine; print(mine.x)", { files: [file("mine.py", "x = 'imported'")] })).stdout).toBe("imported\n");
      expect((await use().node("console.log(require('./mine.js').x)", { files: [file("mine.js", "exports.x = 'required'")] })).stdout).toBe("required\n");
      expect((await use().bash(". ./mine.sh; echo $x", { files: [file("mine.sh", "x=sourced")] })).stdout).toBe("sourced\n");
    });

    it("come out by glob", async () => {
      const code = "import os\nos.makedirs('out/deep')\nfor p in ['out/a.txt','out/b.log','out/deep/c.txt','top.txt']: open(p,'w').write(p)";
      expect(artifactTexts(await use().python(code, { collect: ["out/*.txt"] }))).toEqual({ "out/a.txt": "out/a.txt" });
      expect(Object.keys(artifactTexts(await use().python(code, { collect: ["**/*.txt"] }))).sort()).toEqual(["out/a.txt", "out/deep/c.txt", "top.txt"]);
      expect(artifactTexts(await use().python(code, { collect: ["nothing-*"] }))).toEqual({});
      for (const outside of ["../*", "/etc/*"]) await expect(use().python(code, { collect: [outside] })).rejects.toThrow("stay inside");
    });

    it("come out with their true size and bytes", async () => {
      const ran = await use().python("open('big.bin','wb').write(bytes(range(256))*4096)", { collect: ["big.bin"] });
      expect(ran.artifacts).toMatchObject([{ path: "big.bin", size: MIB, truncated: false }]);
      expect(Buffer.from(ran.artifacts[0]?.content ?? "", "base64").subarray(0, 256)).toEqual(Buffer.from(Array.from({ length: 256 }, (_, i) => i)));
    });

    it("come out of a program that failed or was ended", async () => {
      expect(artifactTexts(await use().python("open('log','w').write('kept'); raise SystemExit(3)", { collect: ["log"] }))).toEqual({ log: "kept" });
    });

    it("that are links to elsewhere do not come out", async () => {
      const code = `
import os
os.symlink('/etc/passwd', 'secret'); os.symlink('/', 'rootdir'); os.symlink('../../../../etc', 'etc')
os.mkfifo('fifo')
for source in ('/etc/passwd', '/usr/bin/env'):
  try: os.link(source, 'hard')
  except OSError: pass
open('fine', 'w').write('fine')`;
      const ran = await use().python(code, { collect: ["**", "*", "rootdir/etc/passwd", "etc/passwd"] });
      const texts = artifactTexts(ran);
      expect(texts.fine).toBe("fine");
      expect(Object.keys(texts).filter((path) => /secret|rootdir|^etc|fifo|hard/.test(path))).toEqual([]);
      expect(Object.values(texts).join("\n")).not.toContain("root:");
    });

    it("with hard links inside the workspace come out as what they are", async () => {
      const ran = await use().python("import os; open('a','w').write('same'); os.link('a','b')", { collect: ["a", "b"] });
      expect(artifactTexts(ran)).toEqual({ a: "same", b: "same" });
    });

    it("with names that confuse come out under those names", async () => {
      const names = ["with space", "-rf", "ünï✓", "a'b\"c", "new\nline"];
      const ran = await use().python(`for n in ${JSON.stringify(names)}: open(n,'w').write('x')`, { collect: names.map((name) => name.replace("\n", "?")) });
      expect(ran.artifacts.map((entry) => entry.path).sort()).toEqual([...names].sort());
    });

    it("that nest without end do no harm", async () => {
      const ran = await use().bash(`for i in $(seq ${use().features.nesting}); do mkdir d && cd d || break; done; echo x > f`, {
        collect: ["**/f", "f"],
        limits: { ...DEFAULT_LIMITS, wall_ms: 20_000 },
      });
      expect(ran.status).toBe("completed");
    });

    it("that are unreadable to the program's own user do no harm", async () => {
      const ran = await use().bash("echo x > closed; chmod 000 closed; mkdir shut; echo y > shut/in; chmod 000 shut; echo z > open", { collect: ["**", "*"] });
      expect(artifactTexts(ran).open).toBe("z\n");
    });
  });
}
