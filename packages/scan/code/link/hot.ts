/** Ports from which a sink can be reached at all, whichever way: most cannot, and nobody needs to look there. */
import { type Graph, parameterOf } from "./graph.ts";

export class Hot {
  readonly #ports: ReadonlySet<string>;

  constructor(graph: Graph, sinks: Iterable<string>) {
    const before = new Map<string, string[]>();
    const link = (from: string, to: string) => {
      const list = before.get(to);
      if (list === undefined) before.set(to, [from]);
      else list.push(from);
    };
    const targets = new Set<string>();
    for (const [from, edges] of graph.ports())
      for (const { file, fact } of edges) {
        const to = `${file}\0${fact[2]}`;
        link(from, to);
        targets.add(to);
      }
    for (const to of targets) {
      const [file, port] = to.split("\0") as [string, string];
      if (port.startsWith("A")) {
        const colon = port.indexOf(":");
        for (const callee of graph.callees.get(`${file}\0${port.slice(1, colon)}`) ?? []) {
          const index = parameterOf(port.slice(colon + 1), graph.resolver.fn(callee.file, callee.fn)?.[3] ?? []);
          if (index !== null) link(to, `${callee.file}\0P${callee.fn}:${index}`);
        }
      } else if (port.startsWith("Q")) for (const caller of graph.callers.get(`${file}\0${port.slice(1)}`) ?? []) link(to, `${caller.file}\0R${caller.site}`);
    }
    const seen = new Set(sinks);
    const queue = [...seen];
    for (let port = queue.pop(); port !== undefined; port = queue.pop())
      for (const each of before.get(port) ?? [])
        if (!seen.has(each)) {
          seen.add(each);
          queue.push(each);
        }
    this.#ports = seen;
  }

  has(file: string, port: string): boolean {
    return this.#ports.has(`${file}\0${port}`);
  }
}
