"use strict";
/**
 * Frames on the control socket (see contracts/frames.ts), and nothing that a program can bend: every function used after
 * user code has run is taken here, before it, because a program may redefine any global and any prototype (CVE-2025-3466).
 */
const fs = require("node:fs");

const CONTROL = 3; // closed on exec: Node does that to every descriptor that it inherits
const { readSync, writeSync } = fs;
const { reallyExit, resourceUsage } = process;
const DONE_SIZE = 25;
const done = new Uint8Array(DONE_SIZE);

/** Blocks for the next frame: {type, payload}, or null at the end of the stream. */
function receive() {
  const header = exactly(5);
  if (header === null) return null;
  const payload = exactly(header.readUInt32LE(1));
  return payload === null ? null : { type: String.fromCharCode(header[0]), payload };
}

function exactly(size) {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at < size; ) {
    const count = readSync(CONTROL, bytes, at, size - at, null);
    if (count === 0) return null;
    at += count;
  }
  return bytes;
}

function ready() {
  writeSync(CONTROL, new Uint8Array([0x52, 0, 0, 0, 0]), 0, 5, null);
}

/**
 * Tells the exit code, and how often the process was switched out: D, i32 code, i64 voluntary, i64 involuntary.
 * Element stores on a typed array and captured calls: no prototype takes part.
 */
function sendDone(code) {
  try {
    const usage = resourceUsage();
    done[0] = 0x44;
    done[1] = DONE_SIZE - 5;
    store(5, code);
    store(9, usage.voluntaryContextSwitches);
    store(17, usage.involuntaryContextSwitches);
    writeSync(CONTROL, done, 0, DONE_SIZE, null);
  } catch {
    // Nobody listens: the wait status says it.
  }
}

function store(at, value) {
  done[at] = value;
  done[at + 1] = value >> 8;
  done[at + 2] = value >> 16;
  done[at + 3] = value >> 24;
}

module.exports = { CONTROL, receive, ready, sendDone, reallyExit };
