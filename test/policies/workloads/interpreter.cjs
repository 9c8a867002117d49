// What a code interpreter is asked to do in JavaScript on an ordinary day.
const assert = require("node:assert");
const { execFileSync, execSync, spawn } = require("node:child_process");
const fs = require("node:fs");
const { Worker } = require("node:worker_threads");
const zlib = require("node:zlib");

(async () => {
  fs.mkdirSync("out/deep", { recursive: true });
  fs.writeFileSync("out/deep/a.json", JSON.stringify({ n: 1 }));
  fs.renameSync("out/deep/a.json", "out/b.json");
  assert.deepEqual(JSON.parse(fs.readFileSync("out/b.json", "utf8")), { n: 1 });
  assert.equal(zlib.gunzipSync(zlib.gzipSync("text")).toString(), "text");
  assert.equal(execFileSync("cat", ["out/b.json"]).toString(), '{"n":1}');
  assert.equal(execSync("printf '%s\\n' b a | sort | head -1").toString(), "a\n");
  const child = spawn("cat");
  child.stdin.end("through a pipe");
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  assert.equal(text, "through a pipe");
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
  assert.equal(await new Promise((resolve) => worker.once("message", resolve)), 42);
  assert.equal((await crypto.subtle.digest("SHA-256", Buffer.from("x"))).byteLength, 32);
  console.log("done");
})();
