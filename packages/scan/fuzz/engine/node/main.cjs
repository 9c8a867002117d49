"use strict";
/**
 * The fuzz loop, as it runs in a sandbox with the target. It talks in lines on standard output that begin with a word which the target does not know;
 * the host believes none of them before it has seen the same in another sandbox.
 */
const fs = require("node:fs");
const { Worker } = require("node:worker_threads");
const { Random } = require("./random.cjs");
const { Feedback } = require("./feedback.cjs");
const { Mutator } = require("./mutate.cjs");
const { Executor, clock } = require("./execute.cjs");
const { standIns } = require("./standins.cjs");
const { openTarget } = require("./target.cjs");
const { generate } = require("./values.cjs");
const { fuzz } = require("./loop.cjs");
const { growth } = require("./growth.cjs");

const DIRECTORY = __dirname;
const ROOT = "/workspace/t";
const { writeSync, writeFileSync } = fs;
const { stringify } = JSON;
const { reallyExit } = process;

/** The job comes by a file that is gone before the target's first line runs. */
async function main() {
  const job = JSON.parse(fs.readFileSync(`${DIRECTORY}/job.json`, "utf8"));
  const word = fs.readFileSync(0, "utf8").trim();
  fs.unlinkSync(`${DIRECTORY}/job.json`);
  const say = (message) => {
    const bytes = Buffer.from(`\n${word}${stringify(message)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(1, bytes, at);
  };
  unpack(job);
  for (const name of job.secret === "" ? [] : ["API_KEY", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "GITHUB_TOKEN", "OPENAI_API_KEY", "SECRET"])
    process.env[name] = job.secret;
  process.exit =
    process.reallyExit =
    process.abort =
      () => {
        throw Object.assign(new Error("the target ends the process"), { code: "EXIT" });
      };
  const beat = new SharedArrayBuffer(8);
  const view = new Int32Array(beat);
  const worker = new Worker(`${DIRECTORY}/watchdog.cjs`, {
    workerData: { beat, patienceMs: job.patienceMs, pid: process.pid, frame: `\n${word}${stringify({ type: "hang" })}\n` },
  });
  await new Promise((done) => worker.once("online", done));
  worker.unref();
  const feedback = new Feedback(job.blocks, job.guided);
  let executor;
  const stands = standIns({ sql: (text) => executor?.doors.sql(text), wanted: job.standins, directory: DIRECTORY, writeFile: writeFileSync });
  executor = new Executor({ job, feedback, standIns: stands, beat: view, inputFd: fs.openSync(`${DIRECTORY}/input`, "w") });
  feedback.install((text) => executor.doors.code(text));
  const stop = () => reallyExit.call(process, 0);
  try {
    Atomics.store(view, 1, 1);
    const { call, schemas } = await openTarget(job.harness, ROOT, stands);
    Atomics.store(view, 1, 0);
    executor.ready(call, schemas);
    say({ type: "ready", standins: [...stands.absent].slice(0, 50).map((name) => String(name).slice(0, 200)) });
    const random = new Random(job.seed);
    const mutator = new Mutator(random, job.dictionary, job.pumps);
    const work = { job, say, view, feedback, executor, random, mutator, schemas, generate, clock };
    if (job.mode === "fuzz") await fuzz(work);
    else if (job.mode === "growth") await growth(work);
    else await replay(work);
  } catch (error) {
    say({ type: "broken", message: String(error?.stack ?? error).slice(0, 1000) });
  }
  stop();
}

function unpack({ files }) {
  for (const [path, text] of files) {
    const full = `${ROOT}/${path}`;
    fs.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    writeFileSync(full, text);
  }
  const deep = `/workspace/w/${"d/".repeat(16)}`;
  fs.mkdirSync(deep, { recursive: true });
  process.chdir(deep);
}

/** Each input of the job once: what the oracles say of it now. */
async function replay({ job, say, view, executor }) {
  for (const [index, args] of job.inputs.entries()) {
    Atomics.store(view, 1, 1);
    say({ type: "start", index });
    const outcome = await executor.run(args);
    await new Promise(setImmediate);
    const late = executor.late.map((error) => executor.crash(error)).find((one) => one !== null);
    executor.late.length = 0;
    Atomics.store(view, 1, 0);
    say({ type: "outcome", index, ms: executor.ms, outcome: outcome ?? (late ? { ...late, oracle: "unhandled-rejection" } : null) });
  }
  say({ type: "done" });
}

main().catch((error) => {
  writeSync(2, String(error?.stack));
  reallyExit.call(process, 1);
});
