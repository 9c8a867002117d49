"use strict";
/**
 * A Node that keeps its state: each start message runs one file in the same global scope, until the stream ends.
 *
 * A run ends when its code has settled: as at a prompt, await what you want to see. Timers and servers live on between runs.
 */
const { Module, createRequire } = require("node:module");
const net = require("node:net");
const path = require("node:path");
const { readFileSync } = require("node:fs");
const { inspect } = require("node:util");
const { CONTROL, ready, sendDone, reallyExit } = require("./control.cjs");
const { evaluator } = require("./session-evaluate.cjs");

// A program may replace any global: ours are taken first, and whatever fails all the same ends the run with code 1.
const { Error: BareError, Promise: BarePromise, setImmediate: soon } = globalThis;
const { alloc, concat } = Buffer;
const { assign, keys } = Object;
const { parse } = JSON;
const { log, error: complain } = console;
const race = BarePromise.race.bind(BarePromise);
const EXIT = Symbol("process.exit");

main();

function main() {
  for (const name of keys(process.env)) if (name.startsWith("PLASTRON_")) delete process.env[name];
  require("./warm.cjs");
  const state = { running: false, code: 0, exit: null };
  survive(state);
  const evaluate = evaluator();
  answer((message) => run(message, evaluate, state));
  ready();
}

/** Reads start messages as they come, so that the event loop turns between runs, and answers each with an exit code. */
function answer(perform) {
  const socket = new net.Socket({ fd: CONTROL, readable: true, writable: false });
  let pending = alloc(0);
  socket.on("data", async (chunk) => {
    pending = concat([pending, chunk]);
    if (pending.length < 5 || pending.length < 5 + pending.readUInt32LE(1)) return;
    const message = parse(pending.subarray(5, 5 + pending.readUInt32LE(1)).toString("utf8"));
    pending = alloc(0);
    try {
      sendDone(await perform(message));
    } catch (error) {
      complain(inspect(error));
      sendDone(1);
    }
  });
  socket.on("close", () => reallyExit(0));
}

async function run({ entry, argv, env, display }, evaluate, state) {
  const restore = become(entry, argv, env);
  const exit = new BarePromise((resolve) => {
    assign(state, { running: true, code: 0, exit: () => resolve({ value: undefined }) });
  });
  const evaluated = evaluate(readFileSync(entry, "utf8"), entry).catch((error) => ({ error, where: "" }));
  const outcome = await race([evaluated, exit]);
  await new BarePromise((resolve) => soon(resolve)); // what was already due may still print, or fail
  if ("error" in outcome) report(outcome.error, state, outcome.where);
  else if (display && outcome.value !== undefined) log(withoutOurFrames(inspect(outcome.value)));
  state.running = false;
  restore();
  const code = process.exitCode ?? state.code;
  process.exitCode = undefined;
  return code & 0xff;
}

/** Gives the run its arguments, variables and module scope; returns what takes the variables away again. */
function become(entry, argv, env) {
  const require = createRequire(entry);
  const module = new Module(entry);
  assign(module, { filename: entry, paths: require.resolve.paths("x") ?? [] });
  assign(globalThis, { require, module, exports: module.exports, __filename: entry, __dirname: path.dirname(entry) });
  process.argv = [process.argv[0], entry, ...argv];
  const before = keys(env).map((name) => [name, process.env[name]]);
  assign(process.env, env);
  return () => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

/** Makes what would end Node end only the run: process.exit, uncaught exceptions, unhandled rejections. */
function survive(state) {
  process.exit = (code) => {
    if (code !== undefined) process.exitCode = code;
    if (process.exitCode === undefined) process.exitCode = 0;
    if (state.running) state.exit();
    throw EXIT; // the code after the call must not run
  };
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.on(event, (error) => process.listenerCount(event) === 1 && report(error, state, ""));
  }
}

function report(error, state, where) {
  if (error === EXIT) return;
  state.code = 1;
  complain(where + (error instanceof BareError ? withoutOurFrames(inspect(error)) : `Uncaught ${inspect(error)}`));
}

function withoutOurFrames(text) {
  let ours = false;
  const lines = text.split("\n").filter((line) => {
    const frame = /^\s+at /.test(line);
    ours = frame && (ours || line.includes("at Session.post (node:inspector"));
    return !ours;
  });
  return lines.join("\n");
}
