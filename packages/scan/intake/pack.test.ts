import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openArtifact } from "./open.ts";
import { packArtifact } from "./pack.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "plastron-pack-test-"));
  mkdirSync(join(root, "tree/.git"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test("what is packed here is the same artifact where it is taken in again", async () => {
  writeFileSync(join(root, "tree/.git/config"), "[core]\n");
  writeFileSync(join(root, "tree/main.py"), "print(1)\n");
  writeFileSync(join(root, `tree/${"long-".repeat(40)}é.txt`), "x");
  writeFileSync(join(root, "tree/run.sh"), "true\n");
  chmodSync(join(root, "tree/run.sh"), 0o755);
  const here = await openArtifact(join(root, "tree"));
  const { stream, settled } = packArtifact(here);
  await writeFile(join(root, "packed.tar.gz"), stream);
  await settled;
  const there = await openArtifact(join(root, "packed.tar.gz"));
  const shown = ({ files }: typeof here) => files.map(({ path, sha256, executable }) => [path, sha256, executable]);
  expect(shown(there).map(([path]) => path)).not.toContain(".git/config");
  expect(there.files.filter(({ layers }) => layers.length > 1)).toEqual([]);
  expect(shown(there)).toEqual(expect.arrayContaining(shown(here)));
});

test("a file that changed since it was taken in is not packed in its new shape", async () => {
  writeFileSync(join(root, "tree/main.py"), "print(1)\n");
  const artifact = await openArtifact(join(root, "tree"));
  writeFileSync(join(root, "tree/main.py"), "print('another')\n");
  const { stream, settled } = packArtifact(artifact);
  await expect(writeFile(join(root, "packed.tar.gz"), stream)).rejects.toThrow();
  await expect(settled).rejects.toThrow();
});
