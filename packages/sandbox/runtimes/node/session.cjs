"use strict";
/**
 * A Node that keeps its state: each start message runs one file in the same global scope, until the stream ends.
 *
 * Files are evaluated by V8's own REPL mode, reached through an inspector session to this very thread: it lets let, const and
 * class be declared again in a later run, allows top-level await, and returns the last expression's value. No port is opened.
 * A run ends when its code has settled (await what you want to see, as at a prompt); timers and servers live on between runs.
 */
const inspector = require("node:inspector");
const { Module, createRequire } = require("node:module");
const net = require("node:net");
const path = require("node:path");
const { readFileSync } = require("node:fs");
const { inspect } = require("node:util");
const { CONTROL, ready, sendDone, reallyExit } = require("./control.cjs");

const EXIT = Symbol("process.exit");
const { parse } = JSON;

main();

function main() {
  for (const name of Object.keys(process.env)) if (name.startsWith("PLASTRON_")) delete process.env[name];
  require("./warm.cjs");
  const session = new inspector.Session();
  session.connect();
  const state = { running: false, code: 0, exit: null };
  survive(state);
  const evaluate = evaluator(session);
  answer(net, (message) => run(message, evaluate, state));
  ready();
}

/** Reads start messages as they come, so that the event loop turns between runs, and answers each with an exit code. */
function answer({ Socket }, perform) {
  const socket = new Socket({ fd: CONTROL, readable: true, writable: false });
  let pending = Buffer.alloc(0);
  socket.on("data", async (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    if (pending.length < 5 || pending.length < 5 + pending.readUInt32LE(1)) return;
    const message = parse(pending.subarray(5, 5 + pending.readUInt32LE(1)).toString("utf8"));
    pending = Buffer.alloc(0);
    sendDone(await perform(message));
  });
  socket.on("close", () => reallyExit(0));
}

async function run({ entry, argv, env, display }, evaluate, state) {
  const before = become(entry, argv, env);
  const exit = new Promise((resolve) => {
    Object.assign(state, { running: true, code: 0, exit: resolve });
  });
  const outcome = await Promise.race([evaluate(readFileSync(entry, "utf8"), entry), exit]);
  await new Promise((resolve) => setImmediate(resolve)); // what was already due may still print, or fail
  state.running = false;
  if (outcome.error !== undefined) report(outcome.error.value, state);
  else if (display && outcome.value !== undefined) console.log(inspect(outcome.value, { colors: false }));
  Object.assign(process.env, before.changed);
  for (const name of before.added) delete process.env[name];
  const code = process.exitCode ?? state.code;
  process.exitCode = undefined;
  return code & 0xff;
}

function become(entry, argv, env) {
  const require = createRequire(entry);
  const module = new Module(entry);
  Object.assign(module, { filename: entry, paths: require.resolve.paths("x") ?? [], loaded: true });
  Object.assign(globalThis, { require, module, exports: module.exports, __filename: entry, __dirname: path.dirname(entry) });
  process.argv = [process.argv[0], entry, ...argv];
  const names = Object.keys(env);
  const changed = Object.fromEntries(names.filter((name) => name in process.env).map((name) => [name, process.env[name]]));
  Object.assign(process.env, env);
  return { changed, added: names.filter((name) => !(name in changed)) };
}

/** Returns a function (source, file) → {value} or {error: {value}}, with the real values, not the inspector's copies. */
function evaluator(session) {
  const caught = { value: undefined };
  const call = (method, parameters) => new Promise((resolve, reject) => session.post(method, parameters, (e, result) => (e ? reject(e) : resolve(result))));
  globalThis.__caught = caught;
  const holder = call("Runtime.evaluate", { expression: "globalThis.__caught" });
  delete globalThis.__caught;
  return async (source, file) => {
    const { objectId } = (await holder).result;
    const { result, exceptionDetails } = await call("Runtime.evaluate", {
      expression: `${source}\n//# sourceURL=${file}`,
      replMode: true,
      awaitPromise: true,
    });
    const remote = exceptionDetails?.exception ?? result;
    const argument = remote.objectId ? { objectId: remote.objectId } : remote.unserializableValue ? { unserializableValue: remote.unserializableValue } : { value: remote.value };
    await call("Runtime.callFunctionOn", { objectId, functionDeclaration: "function (value) { this.value = value }", arguments: [argument] });
    const { value } = caught;
    caught.value = undefined;
    return exceptionDetails ? { error: { value } } : { value };
  };
}

/** Makes what would end Node end only the run: process.exit, uncaught exceptions, unhandled rejections. */
function survive(state) {
  process.exit = (code) => {
    if (code !== undefined) process.exitCode = code;
    if (state.running) state.exit({ value: undefined });
    throw EXIT;
  };
  process.on("uncaughtException", (error) => process.listenerCount("uncaughtException") === 1 && report(error, state));
  process.on("unhandledRejection", (error) => process.listenerCount("unhandledRejection") === 1 && report(error, state));
}

function report(error, state) {
  if (error === EXIT) return;
  state.code = 1;
  const text = error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`;
  console.error(`Uncaught ${text}`.replace(/^Uncaught Uncaught /, "Uncaught "));
}
