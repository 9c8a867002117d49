import { Unreadable } from "../facts.ts";
import type { JsonObject } from "../readers/json.ts";
import { child, childText, type Element, readXml } from "./xml.ts";

/** A CycloneDX document in XML as the same one in JSON: the parts of it that are read here. https://cyclonedx.org/docs/1.6/xml/ */
export function cyclonedxFromXml(source: string): JsonObject {
  const bom = readXml(source);
  const [, version] = [...bom.attributes].flatMap(([, value]) => /^http:\/\/cyclonedx\.org\/schema\/bom\/(\d+\.\d+)$/.exec(value) ?? []).slice(0, 2);
  if (bom.name !== "bom" || version === undefined) throw new Unreadable("unsupported", "it is XML, and no CycloneDX");
  const about = child(child(bom, "metadata") ?? bom, "component");
  const own = about !== undefined && child(bom, "metadata") !== undefined;
  return {
    ...{ bomFormat: "CycloneDX", specVersion: version },
    ...(own ? { metadata: { component: component(about) } } : {}),
    components: components(bom),
    dependencies: named(child(bom, "dependencies"), "dependency").map((each) => ({
      ref: each.attributes.get("ref") ?? "",
      dependsOn: named(each, "dependency").map((to) => to.attributes.get("ref") ?? ""),
    })),
  };
}

function named(element: Element | undefined, name: string): Element[] {
  return element?.children.filter((each) => each.name === name) ?? [];
}

function components(parent: Element): JsonObject[] {
  return named(child(parent, "components"), "component").map(component);
}

function component(element: Element): JsonObject {
  const hashes = named(child(element, "hashes"), "hash").map((hash) => ({ alg: hash.attributes.get("alg") ?? "", content: hash.text.trim() }));
  return {
    "bom-ref": element.attributes.get("bom-ref") ?? "",
    ...{ name: childText(element, "name"), version: childText(element, "version"), purl: childText(element, "purl") },
    ...{ hashes, components: components(element) },
  };
}
