"use strict";
/** A thread that the target's loops do not hold up: when the count of runs stands still for too long, it ends the process. The input is in a file by then. */
const { parentPort, workerData } = require("node:worker_threads");
const { beat, patienceMs, pid, frame } = workerData;
const { writeSync } = require("node:fs");
const view = new Int32Array(beat);
let last = -1;
let since = Date.now();
setInterval(() => {
  const now = Atomics.load(view, 0);
  if (now !== last || Atomics.load(view, 1) === 0) {
    last = now;
    since = Date.now();
  } else if (Date.now() - since > patienceMs) {
    writeSync(1, frame);
    process.kill(pid, "SIGKILL");
  }
}, 50);
parentPort.unref();
