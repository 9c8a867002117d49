const fs = require("node:fs"),
  os = require("node:os"),
  cp = require("node:child_process"),
  { Worker, isMainThread, parentPort } = require("node:worker_threads");
if (!isMainThread) parentPort.postMessage(42);
else {
  fs.mkdirSync("out", { recursive: true });
  fs.writeFileSync("out/a.json", JSON.stringify({ a: 1 }));
  const folder = fs.mkdtempSync(`${os.tmpdir()}/app-`);
  fs.writeFileSync(`${folder}/x`, "1");
  fs.rmSync(folder, { recursive: true });
  const year = cp.execFileSync("/usr/bin/date", ["-u", "-d", "@0", "+%Y"]).toString().trim();
  const NEW = { read: () => fs.readFileSync("/etc/hostname"), write: () => fs.writeFileSync("elsewhere.txt", ""), exec: () => cp.execFileSync("/usr/bin/id") };
  let outcome = "nothing";
  if (process.argv[2]) {
    try {
      NEW[process.argv[2]]();
      outcome = "allowed";
    } catch (error) {
      outcome = ["EACCES", "EPERM"].includes(error.code) ? "denied" : String(error);
    }
  }
  new Worker(__filename).on("message", (said) => console.log(year, said, JSON.parse(fs.readFileSync("out/a.json", "utf8")).a, outcome));
}
