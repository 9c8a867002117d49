"use strict";
/** How time grows with length: the pumped part of an input at ever more repetitions, until it is slow. The host draws the conclusion. */
const { set } = require("./minimise.cjs");

const ENOUGH_MS = 400;
const MOST = 1 << 17;

async function growth({ job, say, view, executor }) {
  const { pump, inputs } = job;
  const [args] = inputs;
  for (let times = job.first; ; times = Math.max(times + 2, Math.ceil(times * job.factor))) {
    const value = pump.prefix + pump.unit.repeat(times) + pump.suffix;
    if (value.length > MOST) break;
    const next = set(args, pump.path, value);
    Atomics.store(view, 1, 1);
    say({ type: "start", index: value.length });
    let least = Infinity;
    for (let i = 0; i < 3; i++) {
      await executor.run(next);
      least = Math.min(least, executor.ms);
      if (executor.ms > 30) break;
    }
    Atomics.store(view, 1, 0);
    say({ type: "time", length: value.length, times, ms: least });
    if (least > ENOUGH_MS) break;
  }
  say({ type: "done" });
}

module.exports = { growth };
