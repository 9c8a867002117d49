"use strict";
/** Coverage-guided search: keeps inputs that reached something new, spends more on those that were tried less, and hands on what the oracles say. */
const { minimise, set, get } = require("./minimise.cjs");

const YIELD_MS = 50;
const STAT_MS = 500;
const MOST_CORPUS = 2048;
const PROBE_FROM_MS = 1;
const SLOW_MS = 25;
const immediate = setImmediate;

async function fuzz(work) {
  const { job, say, view, executor, feedback, mutator, random, schemas, clock } = work;
  const state = {
    corpus: [],
    keys: new Set(job.known),
    probes: 0,
    from: clock(),
    said: clock(),
    yielded: clock(),
    end: clock() + job.ms,
    found: null,
    recent: [],
  };
  const over = () => clock() >= state.end || (job.most > 0 && executor.executions >= job.most) || (job.stopAtFirst && state.found !== null);
  const attempt = async (args, parent) => {
    const pumped = mutator.pumped;
    let outcome = executor.run(args);
    if (outcome !== null && typeof outcome.then === "function") outcome = await outcome;
    const { ms } = executor;
    state.recent.push(args);
    const news = feedback.news();
    if (outcome !== null) await tell(work, state, args, outcome);
    else if ((news === 2 || (news === 1 && sizeOf(args) < 256)) && state.corpus.length < MOST_CORPUS) await keep(work, state, args, news, parent);
    if (pumped && ms > PROBE_FROM_MS && outcome === null) await probe(work, state, args, pumped, ms);
    if (clock() - state.yielded > YIELD_MS) await rest(work, state);
  };
  Atomics.store(view, 1, 1);
  for (const args of seeds(work)) {
    mutator.pumped = null;
    if (over()) break;
    await attempt(args, null);
  }
  while (!over()) {
    const parent = pick(state.corpus, random);
    const base = parent ? parent.args : schemas.map((schema) => work.generate(schema, random, mutator.words));
    const energy = parent ? Math.max(4, Math.min(128, (parent.news === 2 ? 64 : 24) / (1 + (parent.picked >> 2)))) : 16;
    if (parent) parent.picked++;
    const other = state.corpus.length > 1 ? random.of(state.corpus).args : null;
    for (let i = 0; i < energy && !over(); i++) await attempt(mutator.arguments(base, schemas, parent?.pairs ?? [], other), parent);
  }
  Atomics.store(view, 1, 0);
  say(stat(work, state));
  say({ type: "done", corpus: smallest(state.corpus).slice(0, 256) });
}

function* seeds({ job, schemas, random, mutator, generate }) {
  yield* job.corpus;
  for (let i = 0; i < 24; i++) yield schemas.map((schema) => generate(schema, random, mutator.words));
  const fixed = schemas.map((schema) => generate(schema, random, []));
  for (let at = 0; at < schemas.length; at++) {
    const type = schemas[at]?.type;
    if (type !== "string" && type !== undefined) continue;
    for (const word of mutator.words.slice(0, 256)) yield fixed.map((value, index) => (index === at ? word : value));
    for (const { prefix, unit, suffix } of mutator.pumps.slice(0, 16))
      yield fixed.map((value, index) => (index === at ? prefix + unit.repeat(40) + suffix : value));
  }
}

/** Half of the time what was found last, as its neighbours are unknown; else any, the less tried the likelier. */
function pick(corpus, random) {
  if (corpus.length === 0) return null;
  const late = corpus[corpus.length - 1 - random.below(Math.min(4, corpus.length))];
  if (random.once(3) && (late.size < 1024 || random.once(16))) return late;
  const a = random.of(corpus);
  const b = random.of(corpus);
  return a.picked + (a.size >> 8) <= b.picked + (b.size >> 8) ? a : b;
}

/** Runs it once more to hear what it compared with what. */
async function keep({ executor, feedback, mutator }, state, args, news, parent) {
  feedback.recording = true;
  feedback.pairs = [];
  feedback.words_.clear();
  await executor.run(args);
  feedback.recording = false;
  for (const word of feedback.words_) mutator.learn(word);
  for (const [a, b] of feedback.pairs) {
    if (typeof a === "string" && a.length > 0 && a.length < 64) mutator.learn(a);
    if (typeof b === "string" && b.length > 0 && b.length < 64) mutator.learn(b);
  }
  state.corpus.push({ args, size: sizeOf(args), news, pairs: feedback.pairs, picked: 0, depth: (parent?.depth ?? 0) + 1, trail: feedback.trail() });
}

async function tell({ say, executor, clock }, state, args, outcome) {
  if (state.keys.has(outcome.key) || state.keys.size > 64) return;
  state.keys.add(outcome.key);
  const least = await minimise(args, async (next) => (await executor.run(next))?.key === outcome.key);
  state.found = { ms: clock() - state.from, executions: executor.executions };
  say({
    type: "candidate",
    oracle: outcome.oracle,
    key: String(outcome.key).slice(0, 400),
    message: String(outcome.message).slice(0, 400),
    stack: String(outcome.stack).slice(0, 4000),
    input: least,
    ...state.found,
  });
}

/** Slow, and made longer on purpose: is it slower than it is longer? */
async function probe(work, state, args, pumped, ms) {
  const key = `slow:${pumped.path.join("/")}`;
  if (state.probes++ > 400 || state.keys.has(key)) return;
  const { executor, say, clock } = work;
  const value = get(args, pumped.path);
  if (typeof value !== "string") return;
  const at = async (times) => {
    const next = set(args, pumped.path, pumped.prefix + pumped.unit.repeat(times) + pumped.suffix);
    const first = await executor.run(next);
    return first === null ? executor.ms : -1;
  };
  const sizes = [pumped.times];
  const took = [ms];
  while (took.at(-1) < SLOW_MS && took.at(-1) >= 0 && sizes.at(-1) * pumped.unit.length * 2 <= 1 << 16) {
    sizes.push(sizes.at(-1) * 2);
    took.push(await at(sizes.at(-1)));
  }
  if (took.at(-1) < SLOW_MS || work.executor.standIns.state.touched) return;
  const half = await at(Math.max(1, sizes.at(-1) >> 1));
  if (half < 0 || took.at(-1) < half * 2.7) return;
  state.keys.add(key);
  state.found = { ms: clock() - state.from, executions: executor.executions };
  say({ type: "candidate", oracle: "slow", key, message: "", stack: "", input: args, pump: { ...pumped, times: sizes.at(-1) }, ...state.found });
}

/** Lets promises and timers of the target run, and says how far it is. */
async function rest(work, state) {
  const { view, executor, say, clock } = work;
  Atomics.store(view, 1, 0);
  await new Promise(immediate);
  Atomics.store(view, 1, 1);
  for (const error of executor.late.splice(0)) {
    const outcome = executor.crash(error);
    if (outcome !== null && !state.keys.has(`late:${outcome.key}`)) await culprit(work, state, outcome);
  }
  state.recent = [];
  state.yielded = clock();
  if (clock() - state.said > STAT_MS) {
    state.said = clock();
    say(stat(work, state));
  }
}

/** Which of the inputs since the last rest left a promise behind that nobody awaits: half of them at a time. */
async function culprit({ executor, say, clock }, state, outcome) {
  state.keys.add(`late:${outcome.key}`);
  let some = state.recent;
  while (some.length > 1) {
    const half = some.slice(0, some.length >> 1);
    for (const args of half) await executor.run(args);
    await new Promise(immediate);
    some = executor.late.splice(0).some((error) => executor.crash(error)?.key === outcome.key) ? half : some.slice(some.length >> 1);
  }
  if (some.length === 0) return;
  state.found = { ms: clock() - state.from, executions: executor.executions };
  say({
    type: "candidate",
    oracle: "unhandled-rejection",
    key: `late:${outcome.key}`,
    message: outcome.message,
    stack: outcome.stack.slice(0, 4000),
    input: some[0],
    ...state.found,
  });
}

function sizeOf(args) {
  let size = 0;
  for (const one of args) size += typeof one === "string" ? one.length : 16;
  return size;
}

function stat({ executor, feedback, clock }, { corpus, from, found }) {
  return { type: "stat", executions: executor.executions, ms: clock() - from, edges: feedback.edges, corpus: corpus.length, found };
}

/** The shortest inputs that together pass all that the corpus passes. */
function smallest(corpus) {
  const covered = new Set();
  const sorted = corpus.map(({ args, trail }) => ({ args, trail, size: JSON.stringify(args).length })).sort((a, b) => a.size - b.size);
  return sorted.flatMap(({ args, trail }) => {
    const adds = trail.some((block) => !covered.has(block));
    for (const block of trail) covered.add(block);
    return adds ? [args] : [];
  });
}

module.exports = { fuzz };
