import { type Cluster, clusterSchema, PlastronError, type Problem } from "@plastron/contracts";
import { pathOf } from "@plastron/document";
import { isMap, LineCounter, type Node, parseDocument } from "yaml";
import { z } from "zod";

/** A cluster of some ten thousand services. */
const MAX_BYTES = 8 * 1024 * 1024;
const addressSchema = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);

/**
 * The operator's file of cluster addresses (clusterSchema in contracts), YAML or JSON, as `plastron up --cluster-addresses` takes it.
 * Throws PlastronError invalid_request whose `errors` have path, message, line and column of everything that is wrong.
 */
export function parseCluster(text: string): Cluster {
  if (text.length > MAX_BYTES) throw wrong([{ path: "", message: `the file is larger than ${MAX_BYTES / 1024 ** 2} MiB` }]);
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: "core", strict: true, uniqueKeys: true, prettyErrors: false, logLevel: "silent", lineCounter: lines });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) throw wrong(faults.slice(0, 20).map(({ message, pos }) => ({ path: "", message, ...at(pos[0]) })));
  if (!isMap(document.contents)) throw wrong([{ path: "", message: "must hold `services`, `pods` or `self`" }]);
  const place = (path: readonly PropertyKey[]) => {
    for (let length = path.length; length > 0; length--) {
      const range = (document.getIn(path.slice(0, length), true) as Node | undefined)?.range;
      if (range) return at(range[0]);
    }
    return { line: 1, column: 1 };
  };
  const parsed = clusterSchema.safeParse(unfolded(document));
  if (!parsed.success) throw wrong(parsed.error.issues.slice(0, 20).map(({ path, message }) => ({ path: pathOf(path), message, ...place(path) })));
  const bad = addressesOf(parsed.data).filter(({ address }) => !addressSchema.safeParse(address).success);
  if (bad.length > 0) {
    throw wrong(
      bad.slice(0, 20).map(({ path, address }) => ({ path: pathOf(path), message: `${JSON.stringify(address)} is no IP address or CIDR`, ...place(path) })),
    );
  }
  return parsed.data;
}

/** Aliases of aliases can unfold to more than memory holds. */
function unfolded(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw wrong([{ path: "", message: (error as Error).message }]);
  }
}

function addressesOf({ services, pods, self }: Cluster): { path: PropertyKey[]; address: string }[] {
  const each = (path: PropertyKey[], addresses: readonly string[]) => addresses.map((address, i) => ({ path: [...path, i], address }));
  return [
    ...services.flatMap(({ addresses }, i) => each(["services", i, "addresses"], addresses)),
    ...pods.flatMap(({ addresses }, i) => each(["pods", i, "addresses"], addresses)),
    ...each(["self"], self),
  ];
}

function wrong(errors: NonNullable<Problem["errors"]>): PlastronError {
  const [first] = errors;
  const where = first?.line ? `line ${first.line}, column ${first.column}: ` : "";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  return new PlastronError("invalid_request", `${where}${first?.path ? `${first.path}: ` : ""}${first?.message}${more}`, {
    errors,
    hint: "The file lists services, pods and self with their addresses: docs/guides/operate.md.",
  });
}
