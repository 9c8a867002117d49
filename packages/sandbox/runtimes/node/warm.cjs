"use strict";
/**
 * Runs once, unseen, what nearly every program runs first: Node makes these parts lazily, which costs 5 ms in the first run.
 *
 * The real process.stdout is left alone. To touch it would be as fast, but it makes descriptor 1 non-blocking, also for child
 * processes that inherit it: a `cat` of a large file would then fail where it does not under a bare Node.
 */
const net = require("node:net");

const nothing = () => 0;
const nowhere = {};
for (const method of ["getAsyncId", "readStart", "readStop", "ref", "unref", "close", "shutdown", "writev", "writeLatin1String", "writeUtf8String"]) {
  nowhere[method] = nothing;
}
const socket = new net.Socket({ handle: nowhere, readable: false, writable: true });
new console.Console(socket).log("%s %d", "a", 1, { a: [1, null] }, new Map([[1, 2]]), new Error("e"));
require("./warm.mjs"); // the loader of ES modules
