"use strict";
/**
 * Runs once, unseen, what nearly every program runs first: Node makes these parts lazily, which costs 5 ms in the first run.
 * The loader of ES modules is left out: it costs every start 8 ms of CPU, and only programs that import pay for it here.
 *
 * Opening process.stdout on a pipe makes its descriptor non-blocking, also for children that inherit it (a `cat` of a large
 * file then fails), and `process.exit()` after a large write cuts it at 64 KiB. Node documents such writes as synchronous;
 * they are set so here, which cures both.
 */
const { Writable } = require("node:stream");

for (const stream of [process.stdout, process.stderr]) stream._handle?.setBlocking?.(true);
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
new console.Console(nowhere).log("%s %d", "a", 1, { a: [1, null] }, new Map([[1, 2]]), new Error("e"));
process._tickCallback(); // leaves no tick behind, for one would show in the stack traces of the program
