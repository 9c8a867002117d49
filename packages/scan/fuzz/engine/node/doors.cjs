"use strict";
/**
 * The doors through which a program does harm, each with somebody who reads what goes through: processes, files, databases, evaluated code, the
 * network, the terminal. Nothing that carries the marker or the secret gets through; no program is started and no connection made.
 */
const { EventEmitter } = require("node:events");
const { MARK, shellRuns, sqlObeys, codeObeys } = require("./lexers.cjs");
const nodePath = require("node:path");
const { resolve } = nodePath;
const util = require("node:util");

class Closed extends Error {}

/** `tell(oracle, message)` is called at the door, within the call of the target. */
function watchDoors({ tell, secret, inputs, keepSecret }) {
  const leaks = (text) => secret !== "" && typeof text === "string" && text.includes(secret);
  const code = (text) => {
    if (typeof text === "string" && codeObeys(text)) refuse(tell, "code-injection", "the input is evaluated as code");
    return text;
  };
  processes(tell);
  files(tell, inputs);
  network(tell, leaks);
  vm(code);
  for (const stream of [process.stdout, process.stderr])
    stream.write = (chunk, encoding, done) => {
      if (keepSecret() && leaks(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("latin1")))
        tell("secret-leak", "a secret of the environment is printed");
      const heard = typeof encoding === "function" ? encoding : done;
      if (typeof heard === "function") process.nextTick(heard);
      return true;
    };
  require("node:module").syncBuiltinESMExports();
  return {
    code,
    leaks,
    sql: (text) => typeof text === "string" && sqlObeys(text) && refuse(tell, "sql-injection", "the input becomes part of the text of an SQL statement"),
  };
}

function refuse(tell, oracle, message) {
  tell(oracle, message);
  throw new Closed(message);
}

function processes(tell) {
  const child = require("node:child_process");
  const judge = (file, args, shell) => {
    const name = String(file);
    const words = Array.isArray(args) ? args.map(String) : [];
    const inner = /(^|\/)(ba|da|z|k)?sh$/.test(name) && words[0] === "-c" ? words[1] : undefined;
    const line = shell ? [name, ...words].join(" ") : inner;
    if (line !== undefined && shellRuns(line)) refuse(tell, "command-injection", "the input is run as a command of a shell");
    if (!shell && name.includes(MARK)) refuse(tell, "command-injection", "the input names the program that is started");
  };
  const fake = () => {
    const made = new EventEmitter();
    const { Readable, Writable } = require("node:stream");
    Object.assign(made, {
      pid: 4242,
      exitCode: null,
      stdout: Readable.from([]),
      stderr: Readable.from([]),
      stdin: new Writable({ write: (_c, _e, done) => done() }),
      kill: () => true,
      unref() {},
      ref() {},
    });
    process.nextTick(() => {
      made.emit("exit", 0, null);
      made.emit("close", 0, null);
    });
    return made;
  };
  const optionsOf = (rest) => rest.find((one) => one !== null && typeof one === "object" && !Array.isArray(one)) ?? {};
  const called = (rest) => {
    const back = rest.findLast((one) => typeof one === "function");
    if (back) process.nextTick(back, null, "", "");
    return fake();
  };
  const result = (rest) => (optionsOf(rest).encoding && optionsOf(rest).encoding !== "buffer" ? "" : Buffer.alloc(0));
  const exec = (line, ...rest) => (judge(line, [], true), called(rest));
  const execFile = (file, ...rest) => (judge(file, rest[0], Boolean(optionsOf(rest).shell)), called(rest));
  exec[util.promisify.custom] = async (line) => (judge(line, [], true), { stdout: "", stderr: "" });
  execFile[util.promisify.custom] = async (file, ...rest) => (judge(file, rest[0], Boolean(optionsOf(rest).shell)), { stdout: "", stderr: "" });
  Object.assign(child, {
    exec,
    execFile,
    execSync: (line, ...rest) => (judge(line, [], true), result(rest)),
    execFileSync: (file, ...rest) => (judge(file, rest[0], Boolean(optionsOf(rest).shell)), result(rest)),
    spawn: (file, ...rest) => (judge(file, rest[0], Boolean(optionsOf(rest).shell)), fake()),
    fork: (file) => (judge(file, [], false), fake()),
    spawnSync: (file, ...rest) => (
      judge(file, rest[0], Boolean(optionsOf(rest).shell)),
      { pid: 4242, status: 0, signal: null, stdout: result(rest), stderr: result(rest), output: [null, "", ""] }
    ),
  });
}

const OPENING = [
  "readFile",
  "writeFile",
  "appendFile",
  "open",
  "readdir",
  "unlink",
  "rm",
  "rmdir",
  "mkdir",
  "createReadStream",
  "createWriteStream",
  "opendir",
];

/**
 * A path that was made of a base and the input, and lies outside of the base: at the root. What is used as it came stays below the directory that the process
 * is in, which lies deep: a function that takes a path does what it says.
 */
function files(tell, inputs) {
  const fs = require("node:fs");
  const cwd = process.cwd();
  const guard = (path) => {
    if (typeof path !== "string" || !path.includes(MARK) || path.includes("\0")) return;
    if (!resolve(cwd, path).startsWith(`/${MARK}`)) return;
    const given = inputs();
    if (!given.some((one) => one.includes("..") || one.includes("%2e")) || given.some((one) => resolve(cwd, one.trim()).startsWith(`/${MARK}`))) return;
    refuse(tell, "path-traversal", "the input leads a path out of the directory that it was put below");
  };
  const wrap = (holder, name) => {
    const real = holder[name];
    if (typeof real !== "function") return;
    holder[name] = function (path, ...rest) {
      guard(path);
      return Reflect.apply(real, this, [path, ...rest]);
    };
  };
  for (const name of OPENING) {
    wrap(fs, name);
    wrap(fs, `${name}Sync`);
    wrap(fs.promises, name);
  }
}

function network(tell, leaks) {
  const heard = (args) => {
    let text = "";
    try {
      text = args
        .map((one) => (typeof one === "function" ? "" : one instanceof URL ? one.href : typeof one === "string" ? one : JSON.stringify(one)))
        .join(" ");
    } catch {}
    if (leaks(text)) tell("secret-leak", "a secret of the environment is about to leave by the network");
  };
  const off = () => Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  for (const name of ["node:http", "node:https"]) {
    const module = require(name);
    for (const verb of ["request", "get"])
      module[verb] = (...args) => {
        heard(args);
        const { Writable } = require("node:stream");
        const made = new Writable({ write: (chunk, _e, done) => (heard([String(chunk)]), done()) });
        Object.assign(made, { setTimeout: () => made, setHeader: () => heard([]), abort() {}, setNoDelay() {} });
        made.on("error", () => {});
        setImmediate(() => made.destroy(off()));
        return made;
      };
  }
  globalThis.fetch = async (...args) => {
    heard(args);
    throw new TypeError("fetch failed", { cause: off() });
  };
  const { Socket } = require("node:net");
  Socket.prototype.connect = function (...args) {
    heard(args);
    process.nextTick(() => this.destroy(off()));
    return this;
  };
}

function vm(code) {
  const module = require("node:vm");
  for (const name of ["runInThisContext", "runInNewContext", "runInContext", "compileFunction"]) {
    const real = module[name];
    module[name] = (text, ...rest) => real(code(text), ...rest);
  }
  const RealFunction = globalThis.Function;
  globalThis.Function = new Proxy(RealFunction, {
    apply: (target, self, args) => (code(args.at(-1)), Reflect.apply(target, self, args)),
    construct: (target, args) => (code(args.at(-1)), Reflect.construct(target, args)),
  });
}

module.exports = { watchDoors, Closed };
