"use strict";
/**
 * The door into a warm Node: `node --require worker.cjs /workspace/main.js` loads this before it opens the program. It warms
 * what programs use, says "ready", and sleeps in a read until the program's files are in the workspace; then Node itself runs
 * main.js, so module type detection, `require`, error messages and exit codes are Node's own.
 *
 * Worker threads of the program load this file too (Node repeats --require there); they find no PLASTRON_MODE and do nothing.
 */
if (process.env.PLASTRON_MODE === "run") main();

function main() {
  const control = require("./control.cjs");
  for (const name of Object.keys(process.env)) if (name.startsWith("PLASTRON_")) delete process.env[name];
  process.execArgv.length = 0; // children of the program must not wait for a start message
  require("./warm.cjs");
  endWith(control);
  control.ready();
  const frame = control.receive();
  if (frame === null || frame.type !== "B") control.reallyExit(0);
  become(JSON.parse(frame.payload.toString("utf8")));
  for (const id of Object.keys(require.cache)) delete require.cache[id]; // as empty as at a bare start
}

function become({ entry, argv, env }) {
  process.argv.splice(2, process.argv.length, ...argv);
  for (const name of Object.keys(env)) process.env[name] = env[name];
  if (entry !== process.argv[1]) runInstead(entry);
}

/** Node was started for main.js; another entry (main.mjs) is handed over where Node asks for its main module. */
function runInstead(entry) {
  const Module = require("node:module");
  const { runMain } = Module;
  process.argv[1] = entry;
  Module.runMain = () => {
    Module.runMain = runMain;
    runMain(entry);
  };
}

/**
 * Leaves as soon as the last "exit" listener has returned: taking an isolate apart costs 5 ms or, with a full heap, hundreds,
 * and has no reader. Node asks for `process.emit` once more when it is exiting: only then it gets ours, so that no frame of
 * this file is in a stack trace before. An uncaught exception emits "exit" too, but Node prints it after that: that path,
 * known by the caller, is left to Node, and its wait status has the code.
 */
function endWith({ sendDone, reallyExit }) {
  const { emit } = process;
  const { apply } = Reflect;
  const { getCallSites } = require("node:util");
  if (getCallSites === undefined) return; // a Node before 22.9 ends the long way
  function emitAndLeave(name) {
    // `arguments`, for to spread a rest parameter calls Array.prototype, which is the program's.
    const heard = apply(emit, this, arguments);
    if (name === "exit") {
      const code = process.exitCode & 0xff;
      sendDone(code);
      reallyExit(code);
    }
    return heard;
  }
  Object.defineProperty(Object.getPrototypeOf(process), "emit", {
    configurable: true,
    enumerable: false,
    get: () => (process._exiting && !isDying(getCallSites) ? emitAndLeave : emit),
    set(value) {
      Object.defineProperty(this, "emit", { value, configurable: true, enumerable: true, writable: true });
    },
  });
}

/** Whether Node's handler of uncaught exceptions is among the callers. */
function isDying(getCallSites) {
  const sites = getCallSites(10);
  for (let i = 0; i < sites.length; i++) if (sites[i].scriptName === "node:internal/process/execution") return true;
  return false;
}
