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
  for (const id of Object.keys(require.cache)) delete require.cache[id];
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
 * Leaves as soon as the last "exit" listener has returned: taking an isolate apart costs milliseconds and has no reader.
 * An uncaught exception emits "exit" too, but before Node prints it, so that path is left to Node and to the wait status.
 */
function endWith({ sendDone, reallyExit }) {
  const prototype = Object.getPrototypeOf(process);
  const { emit } = process;
  const { apply } = Reflect;
  let dying = false;
  Object.defineProperty(prototype, "emit", {
    configurable: true,
    enumerable: false,
    writable: true,
    value: function (name) {
      const heard = apply(emit, this, arguments);
      if (name === "uncaughtException") dying = !heard;
      if (name === "exit" && process._exiting && !dying) {
        const code = process.exitCode >> 0;
        sendDone(code & 0xff);
        reallyExit(code);
      }
      return heard;
    },
  });
}
