import { isMeasured, type Measured } from "../measure.ts";
import { CpuMeter } from "./attribution.ts";
import { type Latency, type LatencySettings, measureLatency } from "./latency.ts";
import type { Endpoint, Platform } from "./platform.ts";
import type { Report } from "./report.ts";
import type { SandboxSettings } from "./settings.ts";
import { difySubject, type MakeSubject, PROGRAMS, type ProgramName, runSubject } from "./subject.ts";
import { measureThroughput, type Throughput } from "./throughput.ts";

type Say = (text: string) => void;
type OverHttp = Pick<Report, "latency" | "throughput">;

/**
 * Latencies from own processes first: load starts zygotes and grows pools, which takes half a minute to pass. Latencies from a zygote come
 * right after the load that started it.
 */
export async function measureOverHttp(platform: Platform, settings: SandboxSettings, say: Say): Promise<OverHttp> {
  const { pids } = platform;
  const meter = new CpuMeter(pids && { sandboxesOf: pids.agent, agent: pids.agent, server: pids.server });
  const ours = (name: ProgramName) => runSubject(platform, PROGRAMS[name]);
  const alone = async (name: ProgramName, how = settings.latency) => {
    say(`${name}, one at a time`);
    return (await measureLatency({ it: ours(name) }, how)).it;
  };
  const load = (name: ProgramName) => {
    say(`${name}, ${settings.throughput.concurrency} at once`);
    return measureThroughput(ours(name), meter, settings.throughput);
  };
  const python = await alone("python");
  const node = await alone("node");
  const bash = await alone("bash");
  const dify = await difyLatency(platform, settings, say);
  const numpy_pandas = await alone("numpy_pandas", settings.importsLatency);
  const sustained = { python: await load("python") };
  const python_zygote = await zygoteLatency(ours("python"), settings.zygoteLatency, say);
  say("a zygote with numpy and pandas");
  await measureThroughput(ours("numpy_pandas"), meter, settings.importsWarmUp); // only the zygote that its rate asks for is wanted
  const numpy_pandas_zygote = await zygoteLatency(ours("numpy_pandas"), settings.zygoteLatency, say);
  const others = { node: await load("node"), bash: await load("bash") };
  const difyLoad = await difyThroughput(platform, settings, meter, say);
  return {
    latency: { python, node, bash, ...dify, numpy_pandas, python_zygote, numpy_pandas_zygote },
    throughput: { ...sustained, ...others, ...difyLoad },
  };
}

/** Without much of a pause, so that the rate keeps the zygote; a sample of another source would make the figure mean nothing. */
async function zygoteLatency(make: MakeSubject, settings: LatencySettings, say: Say): Promise<Measured<Latency>> {
  say("one at a time from a zygote");
  const { it } = await measureLatency({ it: make }, settings);
  if (!isMeasured(it) || it.zygote * 2 > it.n) return it;
  return { unavailable: `only ${it.zygote} of ${it.n} runs came from a zygote` };
}

const NO_PEER = { unavailable: "no --dify-url was given" };

type OfDify<T> = Record<"dify_python" | "dify_node" | "peer_python" | "peer_node", Measured<T>>;

/** Ours and the peer's take turns. */
async function difyLatency(ours: Endpoint, { peer, latency }: SandboxSettings, say: Say): Promise<OfDify<Latency>> {
  const of = async (name: "python" | "node") => {
    say(`${name} through Dify's API, one at a time`);
    const program = PROGRAMS[name];
    if (!peer) return { ...(await measureLatency({ ours: difySubject(ours, program) }, latency)), theirs: NO_PEER };
    return measureLatency({ ours: difySubject(ours, program), theirs: difySubject(peer, program) }, latency);
  };
  const [python, node] = [await of("python"), await of("node")];
  return { dify_python: python.ours, dify_node: node.ours, peer_python: python.theirs, peer_node: node.theirs };
}

async function difyThroughput(ours: Endpoint, { peer, throughput }: SandboxSettings, meter: CpuMeter, say: Say): Promise<OfDify<Throughput>> {
  const of = (endpoint: Endpoint | null, name: "python" | "node", whose: CpuMeter) => {
    if (!endpoint) return NO_PEER;
    say(`${name} through ${endpoint === ours ? "our" : "the peer's"} Dify API, ${throughput.concurrency} at once`);
    return measureThroughput(difySubject(endpoint, PROGRAMS[name]), whose, throughput);
  };
  const others = new CpuMeter(null);
  return {
    dify_python: await of(ours, "python", meter),
    peer_python: await of(peer, "python", others),
    dify_node: await of(ours, "node", meter),
    peer_node: await of(peer, "node", others),
  };
}
