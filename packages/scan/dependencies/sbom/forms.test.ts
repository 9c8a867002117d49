import { describe, expect, test } from "vitest";
import { fileOf, lookAt } from "../../testing/look.ts";
import { compileAdvisories } from "../advisories/compile.ts";
import { openIndex } from "../advisories/open.ts";
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

describe("ecosystems beyond those with lock files", () => {
  const bill = (purl: string) =>
    fileOf("bom.json", JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.5", components: [{ type: "library", name: "x", purl }] }));
  const indexOf = (ecosystem: string, name: string) => {
    const affected = [{ package: { ecosystem, name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.3.1" }] }] }];
    const { manifest, pages } = compileAdvisories([{ id: "OSV-1", modified: "2026-01-01T00:00:00Z", summary: "weak", affected }], {
      built_at: "2026-01-01T00:00:00.000Z",
      sequence: 1,
    });
    return openIndex(manifest, (hash) => pages.get(hash) as Uint8Array);
  };

  test.each([
    ["SwiftURL", "github.com/Vapor/vapor", "pkg:swift/github.com/vapor/vapor@2.3.0", "pkg:swift/github.com/vapor/vapor@2.3.1"],
    ["GitHub Actions", "some/Action", "pkg:githubactions/some/action@2.3.0", "pkg:githubactions/some/action@2.3.1"],
    ["Bitnami", "wordpress", "pkg:bitnami/wordpress@2.3.0?arch=amd64", "pkg:bitnami/wordpress@2.4.0"],
    ["Hex", "plug", "pkg:hex/plug@2.3.0", "pkg:hex/plug@3.0.0"],
    ["Pub", "http", "pkg:pub/http@2.3.0-dev", "pkg:pub/http@2.3.1"],
  ])("%s is matched by its own order of versions", (ecosystem, name, weak, mended) => {
    const dependencies = createDependencies(indexOf(ecosystem, name));
    expect(lookAt(dependencies, [bill(weak)]).matches).toMatchObject([{ rule: "dependencies/advisory", package: { ecosystem } }]);
    expect(lookAt(dependencies, [bill(mended)]).matches).toEqual([]);
  });

  test.each(["pkg:deb/debian/openssl@3.0.1", "pkg:apk/alpine/musl@1.2", "pkg:cran/xml2@1.0", "pkg:conan/zlib@1.2", "pkg:hackage/aeson@1.0"])(
    "%s is not, and that is said by name",
    (purl) => {
      const { gaps, matches } = lookAt(createDependencies(seedIndex()), [bill(purl)]);
      expect(matches).toEqual([]);
      expect(gaps).toMatchObject([
        { reason: "ecosystem_not_supported", detail: expect.stringContaining((/^pkg:(\w+)/.exec(purl) as RegExpExecArray)[1] as string) },
      ]);
    },
  );
});
