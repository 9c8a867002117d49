"use strict";
/**
 * Evaluation in V8's own REPL mode, reached through an inspector session to this very thread (no port is opened): let, const
 * and class may be declared again in a later run, top-level await works, and the last expression's value comes back.
 */
const inspector = require("node:inspector");
const { Module } = require("node:module");
const { withoutImports } = require("./session-source.cjs");

const { Error: BareError, Promise: BarePromise } = globalThis; // a program may replace them
const LOAD = "__load_module";

/** Returns (source, file) → Promise of {value} or {error, where}, with the program's own values, not the inspector's copies. */
function evaluator() {
  const session = new inspector.Session();
  session.connect();
  const call = (method, parameters) =>
    new BarePromise((resolve, reject) => session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result))));
  const held = holder(call);
  return async (source, file) => {
    defineLoad(file);
    const expression = `${withoutImports(source, LOAD)}\n//# sourceURL=${file}`;
    const { result, exceptionDetails } = await call("Runtime.evaluate", { expression, replMode: true, awaitPromise: true });
    const { value } = await held(exceptionDetails?.exception ?? result);
    return exceptionDetails ? { error: value, where: place(exceptionDetails, value, source, file) } : { value };
  };
}

/** A function from the inspector's description of a value to the value itself: a function of ours is called with it inside. */
function holder(call) {
  const box = { value: undefined };
  globalThis.__box = box;
  const found = call("Runtime.evaluate", { expression: "globalThis.__box" }); // answered before post returns
  delete globalThis.__box;
  return async ({ objectId, unserializableValue, value }) => {
    const argument = objectId ? { objectId } : unserializableValue ? { unserializableValue } : { value };
    await call("Runtime.callFunctionOn", {
      objectId: (await found).result.objectId,
      functionDeclaration: "function (value) { this.value = value; }",
      arguments: [argument],
    });
    if (objectId) await call("Runtime.releaseObject", { objectId });
    const kept = { value: box.value }; // in an object: a promise must not be awaited on the way
    box.value = undefined;
    return kept;
  };
}

/** `import()` that resolves names as a module at `file` would; scripts of the inspector have none of their own. */
function defineLoad(file) {
  const module = new Module(file);
  module._compile("module.exports = (name, options) => import(name, options);", file);
  Object.defineProperty(globalThis, LOAD, { value: module.exports, configurable: true, enumerable: false });
}

/** The source line and a caret, as Node shows them above an uncaught exception's stack; empty where that is not known. */
function place(details, error, source, file) {
  const unparsed = details.url === undefined && details.stackTrace === undefined;
  const [row, column] = unparsed ? [details.lineNumber, details.columnNumber] : topFrame(error, file);
  const line = source.split("\n")[row];
  if (line === undefined || withoutImports(line, LOAD) !== line) return ""; // a rewritten line has other columns
  return `${file}:${row + 1}\n${line}\n${" ".repeat(column)}^\n\n`;
}

function topFrame(error, file) {
  const stack = error instanceof BareError ? String(error.stack) : "";
  const at = stack.indexOf(`${file}:`);
  const [, row, column] = at < 0 ? [] : (/^:(\d+):(\d+)/.exec(stack.slice(at + file.length)) ?? []);
  return row === undefined ? [-1, 0] : [Number(row) - 1, Number(column) - 1];
}

module.exports = { evaluator };
