import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { createDependencies } from "../analyser.ts";
import { seedIndex } from "../seed/index.ts";
import { readSbom } from "./read.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<!-- made by hand -->
<b:bom xmlns:b="http://cyclonedx.org/schema/bom/1.4" version="1">
  <b:metadata><b:component type="application" bom-ref="app"><b:name>app</b:name><b:version>1</b:version></b:component></b:metadata>
  <b:components>
    <b:component type="library" bom-ref="l">
      <b:name>lodash</b:name><b:version>4.17.15</b:version>
      <b:hashes><b:hash alg="SHA-256">${"a".repeat(64)}</b:hash></b:hashes>
      <b:purl><![CDATA[pkg:npm/lodash@4.17.15]]></b:purl>
      <b:components><b:component type="library"><b:name>x</b:name><b:purl>pkg:pypi/Jinja2@2.11.2?a=1&amp;b=2</b:purl></b:component></b:components>
    </b:component>
  </b:components>
  <b:dependencies><b:dependency ref="app"><b:dependency ref="l"/></b:dependency></b:dependencies>
</b:bom>
`;
const TAGS = `SPDXVersion: SPDX-2.3
DataLicense: CC0-1.0
SPDXID: SPDXRef-DOCUMENT
DocumentName: app
CreatorComment: <text>Made by hand
PackageName: not-one
</text>

PackageName: lodash
SPDXID: SPDXRef-1
PackageVersion: 4.17.15
PackageChecksum: SHA256: ${"a".repeat(64)}
ExternalRef: PACKAGE-MANAGER purl pkg:npm/lodash@4.17.15

FileName: ./a.js
SPDXID: SPDXRef-file
Relationship: SPDXRef-DOCUMENT DEPENDS_ON SPDXRef-1
`;

describe("a bill of materials that is no JSON", () => {
  test.each([
    ["CycloneDX as XML", XML, "CycloneDX 1.4", ["lodash", "jinja2"]],
    ["SPDX as tags", TAGS, "SPDX-2.3", ["lodash"]],
  ])("%s: packages, hashes, and who asked for them", (_, text, format, names) => {
    const [listing] = readSbom(text).listings;
    expect(listing).toMatchObject({ format, subject: { name: "app" }, roots: [{ name: "lodash" }] });
    expect(listing?.packages[0]).toMatchObject({ name: "lodash", version: "4.17.15", hashes: [["sha256", "a".repeat(64)]] });
    expect(listing?.packages.map(({ name }) => name)).toEqual(names);
  });

  test.each([
    ["bom.xml", XML],
    ["given.xml", XML],
    ["app.cdx.xml", XML],
    ["app.spdx", TAGS],
    ["sbom-of-app.txt", TAGS],
  ])("%s is held against advisories", (path, text) => {
    const { matches } = lookAt(createDependencies(seedIndex()), [fileOf(path, text)]);
    expect(matches.map(({ aliases }) => aliases[0])).toContain("CVE-2021-23337");
  });

  test.each([
    ["an entity of its own", `<!DOCTYPE bom [<!ENTITY a "b">]>${XML}`, "unsupported"],
    ["a file of this machine", `<!DOCTYPE bom SYSTEM "file:///etc/passwd"><bom/>`, "unsupported"],
    ["other XML", "<project><dependencies/></project>", "unsupported"],
    ["a later version", XML.replace("bom/1.4", "bom/9.9"), "unsupported"],
    ["half of it", XML.slice(0, 700), "syntax_error"],
    ["elements that cross", '<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><a><b></a></b></bom>', "syntax_error"],
    ["elements in a hundred others", "<a>".repeat(200), "depth"],
    ["an unknown SPDX", TAGS.replace("SPDX-2.3", "SPDX-9"), "unsupported"],
    ["nothing", "", "syntax_error"],
  ])("%s is a gap that matters", (_, text, reason) => {
    expect(lookAt(createDependencies(seedIndex()), [fileOf("bom.xml", text)]).gaps).toMatchObject([{ reason, matters: true }]);
  });

  test("cut or changed anywhere, it never ends the analyser, and its text stays text", () => {
    const dependencies = createDependencies(seedIndex());
    for (const text of [XML, TAGS])
      for (let at = 0; at < text.length; at += 7)
        for (const put of ["", "<", ">", '"', "&#x110000;", "<text>", "\u001b]0;x\u0007"]) {
          const { matches } = lookAt(dependencies, [fileOf("app.cdx.xml", text.slice(0, at) + put + text.slice(at + 3))]);
          expect(JSON.stringify(matches.map(({ title, message }) => [title, message]))).not.toContain("\\u001b");
        }
  });
});
