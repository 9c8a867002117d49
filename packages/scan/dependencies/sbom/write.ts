import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { DependencyFacts, Listed, Listing, Root } from "../facts.ts";
import { descents } from "../graph.ts";
import { type PlacedListing, pair } from "../pair.ts";
import { purlOf, shown } from "../shown.ts";

const HASHES: Readonly<Record<string, Enums.HashAlgorithm>> = {
  md5: Enums.HashAlgorithm.MD5,
  sha1: Enums.HashAlgorithm["SHA-1"],
  sha256: Enums.HashAlgorithm["SHA-256"],
  sha384: Enums.HashAlgorithm["SHA-384"],
  sha512: Enums.HashAlgorithm["SHA-512"],
};
/** Hexadecimal digits of each: a value of another length would make the document invalid. */
const DIGITS: Readonly<Record<string, number>> = { md5: 32, sha1: 40, sha256: 64, sha384: 96, sha512: 128 };

/**
 * What an artifact depends on, as CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/): each package once, with purl and hashes, the graph as far as the
 * lock files tell it, and what is only declared without a version. Null where nothing is listed. Without serial number and time: equal
 * artifacts have equal documents.
 */
export function writeSbom(facts: ReadonlyMap<string, DependencyFacts>): unknown {
  const paired = pair([...facts].flatMap(([key, { listings }]) => listings.map((listing): PlacedListing => ({ key, listing }))));
  if (paired.exact.length + paired.declared.length === 0) return null;
  const components = new Map<string, Models.Component>();
  const bom = new Models.Bom();
  const subject = [...facts.values()].flatMap(({ listings }) =>
    listings.flatMap((each) => (each.role === "manifest" || each.role === "lock" ? (each.subject ?? []) : [])),
  )[0];
  const root = new Models.Component(Enums.ComponentType.Application, shown(subject?.name || "artifact", 200), {
    version: subject?.version || undefined,
    bomRef: "artifact",
  });
  bom.metadata.component = root;
  for (const { listing } of paired.exact) addListing(listing, root, components);
  for (const { listing } of paired.declared) for (const each of listing.roots) if (each.target < 0) root.dependencies.add(declared(each, components).bomRef);
  for (const component of components.values()) bom.components.add(component);
  const normalized = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6).makeForBom().normalize(bom, { sortLists: true });
  return { ...normalized, $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json" };
}

function addListing(listing: Listing, root: Models.Component, components: Map<string, Models.Component>): void {
  const descend = descents(listing);
  const made = listing.packages.map((listed, index) =>
    listed.origin === "workspace" ? null : componentOf(listed, descend(index).group === "development", components),
  );
  for (const [index, { needs = [] }] of listing.packages.entries()) {
    for (const [target] of needs) {
      const needed = made[target];
      if (needed && needed !== made[index]) (made[index] ?? root).dependencies.add(needed.bomRef);
    }
  }
  for (const [index, component] of made.entries()) if (component && descend(index).direct) root.dependencies.add(component.bomRef);
  for (const each of listing.roots) if (each.target < 0 && listing.role === "manifest") root.dependencies.add(declared(each, components).bomRef);
}

function componentOf(listed: Listed, development: boolean, components: Map<string, Models.Component>): Models.Component {
  const purl = purlOf(listed.ecosystem, listed.name, listed.version);
  const before = components.get(purl);
  if (before) {
    if (!development && before.scope === Enums.ComponentScope.Excluded) before.scope = undefined;
    return before;
  }
  const hashes = (listed.hashes ?? []).flatMap(([algorithm, value]) => {
    const name = HASHES[algorithm];
    return name !== undefined && value.length === DIGITS[algorithm] ? [[name, value] as const] : [];
  });
  const component = new Models.Component(Enums.ComponentType.Library, shown(listed.name, 200), {
    ...{ bomRef: purl, purl, version: shown(listed.version, 200) || undefined, hashes: new Models.HashDictionary(hashes) },
    // Only its developers need it: it is not part of what runs.
    scope: development ? Enums.ComponentScope.Excluded : undefined,
  });
  components.set(purl, component);
  return component;
}

function declared(root: Root, components: Map<string, Models.Component>): Models.Component {
  const component = componentOf({ ecosystem: root.ecosystem, name: root.name, version: "", line: root.line }, root.group === "development", components);
  component.properties.add(new Models.Property("plastron:declared-range", shown(root.range, 200)));
  return component;
}
