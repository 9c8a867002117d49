"use strict";
/**
 * Frames on the control socket (see contracts/frames.ts), and nothing that a program can bend: every function used after
 * user code has run is taken here, before it, because a program may redefine any global and any prototype (CVE-2025-3466).
 */
const fs = require("node:fs");

const CONTROL = 3; // closed on exec: Node does that to every descriptor that it inherits
const { readSync, writeSync } = fs;
const { reallyExit } = process;
const done = new Uint8Array([0x44, 4, 0, 0, 0, 0, 0, 0, 0]);

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

/** Tells the exit code. Element stores on a typed array and a captured call: no prototype takes part. */
function sendDone(code) {
  done[5] = code;
  done[6] = code >> 8;
  done[7] = code >> 16;
  done[8] = code >> 24;
  try {
    writeSync(CONTROL, done, 0, 9, null);
  } catch {
    // Nobody listens: the wait status says it.
  }
}

module.exports = { CONTROL, receive, ready, sendDone, reallyExit };
