"use strict";
/** One run of the target on one input, and what the oracles say of it. */
const { watchDoors, Closed } = require("./doors.cjs");
const { writeSync } = require("node:fs");

const { now } = performance;
const clock = now.bind(performance);
const { parse, stringify } = JSON;
const NATIVE = [TypeError, ReferenceError, RangeError];
const { getOwnPropertyDescriptor } = Object;
const SETTLE_MS = 300;
const buffer = Buffer;

class Executor {
  constructor({ job, feedback, standIns, beat, inputFd }) {
    this.job = job;
    this.feedback = feedback;
    this.standIns = standIns;
    this.beat = beat;
    this.inputFd = inputFd;
    this.told = [];
    this.strings = [];
    this.running = false;
    this.executions = 0;
    this.baseline = new Set();
    this.doors = watchDoors({
      tell: (oracle, message) => this.running && this.told.push({ oracle, message, stack: new Error(message).stack ?? "" }),
      secret: job.secret,
      inputs: () => this.strings,
      keepSecret: () => this.running,
    });
  }

  /** After the target is loaded: what it did to the world by then is not an input's doing. */
  ready(call, schemas) {
    this.call = call;
    this.plain = schemas.every((one) => one?.type === "string" || one?.type === "number" || one?.type === "integer" || one?.type === "boolean");
    for (const key in {}) this.baseline.add(key);
    process.on("unhandledRejection", (error) => this.late.push(error));
    process.on("uncaughtException", (error) => this.late.push(error));
  }

  late = [];

  /** Null, or `{oracle, key, message, stack}`. `ms` says how long it took. A promise where the target gives one. */
  run(args, text = stringify(args)) {
    this.executions++;
    Atomics.add(this.beat, 0, 1);
    writeSync(this.inputFd, `${text}\n`, 0);
    const { feedback, standIns } = this;
    this.told.length = 0;
    this.strings = stringsOf(args);
    standIns.state.touched = false;
    const given = this.plain ? args : revive(parse(text));
    feedback.begin();
    this.running = true;
    const from = clock();
    const { call } = this;
    let value;
    try {
      value = call(...given);
      if (value !== null && typeof value === "object" && typeof value.then === "function") return this.settle(value, from);
    } catch (error) {
      return this.end(from, undefined, error, true);
    }
    return this.end(from, value, undefined, false);
  }

  async settle(promise, from) {
    let timer;
    const patience = new Promise((done) => {
      timer = setTimeout(done, SETTLE_MS, Closed);
    });
    try {
      return this.end(from, await Promise.race([promise, patience]), undefined, false);
    } catch (error) {
      return this.end(from, undefined, error, true);
    } finally {
      clearTimeout(timer);
    }
  }

  end(from, value, error, thrown) {
    this.ms = clock() - from;
    this.running = false;
    const outcome = this.judge(value, error, thrown);
    let polluted = null;
    for (const key in {})
      if (!this.baseline.has(key)) {
        delete Object.prototype[key];
        if (!polluted)
          polluted = {
            oracle: "prototype-pollution",
            key: "prototype-pollution",
            message: "a property of the input became one of every object",
            stack: error?.stack ?? "",
          };
      }
    return polluted ?? outcome;
  }

  judge(value, error, thrown) {
    const [first] = this.told;
    if (first) return { ...first, key: `${first.oracle}:${place(first.stack)}`, stack: String(first.stack) };
    if (this.job.secret !== "" && this.leaked(value, error, thrown))
      return { oracle: "secret-leak", key: "secret-leak", message: "what it gives back holds a secret of the environment", stack: "" };
    return thrown ? this.crash(error) : null;
  }

  leaked(value, error, thrown) {
    const { leaks } = this.doors;
    if (thrown) return error !== null && typeof error === "object" && leaks(error.message);
    if (typeof value === "string") return leaks(value);
    if (value === null || typeof value !== "object" || (this.executions > 512 && this.executions % 64 !== 0)) return false;
    try {
      return leaks(buffer.isBuffer(value) ? value.toString("latin1") : stringify(value));
    } catch {
      return false;
    }
  }

  /** A fault that the engine raised at the target's code. What a program throws on purpose is its answer. */
  crash(error) {
    if (this.standIns.state.touched || error === null || typeof error !== "object" || this.feedback.declared.has(error) || error instanceof Closed) return null;
    if (!NATIVE.some((kind) => error instanceof kind)) return null;
    if (getOwnPropertyDescriptor(error, "code") !== undefined) return null;
    const stack = String(error.stack ?? "");
    const message = String(error.message).slice(0, 300);
    const deep = error instanceof RangeError && message.includes("call stack size");
    if (/^\s+at .*\/workspace\/\.pf\//.test(stack.slice(stack.indexOf("\n    at ") + 1).split("\n", 1)[0])) return null;
    const at = place(stack);
    if (at === "") return null;
    return {
      oracle: deep ? "stack-overflow" : "crash",
      key: deep ? "stack-overflow" : `crash:${error.name}:${at}`,
      message: `${error.name}: ${message}`,
      stack,
    };
  }
}

/** The first frame of the target, without its column, which instrumentation moved. */
function place(stack) {
  const lines = String(stack).split("\n");
  for (const line of lines) {
    const at = line.indexOf("/workspace/t/");
    if (at >= 0) return `${line.slice(0, at).trim().split(" ")[1] ?? ""} ${line.slice(at + 13).replace(/:\d+\)?$/, "")}`;
  }
  return "";
}

function stringsOf(value, list = [], depth = 0) {
  if (typeof value === "string") list.push(value);
  else if (value !== null && typeof value === "object" && depth < 8) for (const key of Object.keys(value)) stringsOf(value[key], list, depth + 1);
  return list;
}

/** `{$bytes}` and `{$function}` are what JSON has no word for. */
function revive(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value.$bytes === "string") return buffer.from(value.$bytes, "latin1");
  if (value.$function === 1) return () => undefined;
  for (const key of Object.keys(value)) if (key !== "__proto__") value[key] = revive(value[key]);
  return value;
}

module.exports = { Executor, clock };
