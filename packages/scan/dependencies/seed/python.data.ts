import type { SeedLine } from "./write.ts";

const pypi = (name: string) => ["PyPI", name] as const;

/** Well-known weaknesses of Python packages, in our own words. */
export const PYTHON: readonly SeedLine[] = [
  {
    ...{ id: "CVE-2024-22195", alias: ["GHSA-h5c8-rqwp-cp95"], package: pypi("jinja2"), ranges: [["0", "3.1.3"]] },
    summary: "The xmlattr filter takes keys with spaces, so that whoever names keys can add attributes to a page",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", cwe: [79] },
  },
  {
    ...{ id: "CVE-2020-28493", alias: ["GHSA-g3rq-g295-4j3m"], package: pypi("jinja2"), ranges: [["0", "2.11.3"]] },
    summary: "The urlize filter takes quadratic time on crafted text",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L", cwe: [400, 1333] },
  },
  {
    ...{ id: "CVE-2019-10906", alias: ["GHSA-462w-v97r-4m45"], package: pypi("jinja2"), ranges: [["0", "2.10.1"]] },
    summary: "A template gets out of the sandbox by str.format_map",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:N/A:N", cwe: [693], functions: ["sandbox.SandboxedEnvironment"] },
  },
  {
    ...{ id: "CVE-2024-56326", alias: ["GHSA-q2x7-8rv6-6q7h"], package: pypi("jinja2"), ranges: [["0", "3.1.5"]] },
    summary: "A template gets out of the sandbox by a stored reference to str.format",
    ...{ severity: "MODERATE", cwe: [1336], functions: ["sandbox.SandboxedEnvironment"] },
  },
  {
    ...{ id: "CVE-2023-32681", alias: ["GHSA-j8r2-6x86-q33q"], package: pypi("requests"), ranges: [["2.3.0", "2.31.0"]] },
    summary: "Credentials of a proxy are sent to the destination after a redirect to HTTPS",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:C/C:H/I:N/A:N", cwe: [200] },
  },
  {
    ...{ id: "CVE-2018-18074", alias: ["GHSA-x84v-xcm2-53pg"], package: pypi("requests"), ranges: [["0", "2.20.0"]] },
    summary: "An Authorization header is sent on in the clear after a redirect from HTTPS to HTTP of the same host",
    ...{ cvss: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", cwe: [522] },
  },
  {
    ...{ id: "CVE-2024-35195", alias: ["GHSA-9wx4-h78v-vm56"], package: pypi("requests"), ranges: [["0", "2.32.0"]] },
    summary: "A session that once asked a host with verify=False goes on not to verify that host",
    ...{ cvss: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:H/I:H/A:N", cwe: [670] },
  },
  {
    ...{
      id: "CVE-2023-43804",
      alias: ["GHSA-v845-jxx5-vc9f"],
      package: pypi("urllib3"),
      ranges: [
        ["0", "1.26.17"],
        ["2.0.0", "2.0.6"],
      ],
    },
    summary: "A Cookie header is sent on to another host after a redirect",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:H/UI:N/S:U/C:H/I:H/A:N", cwe: [200] },
  },
  {
    ...{
      id: "CVE-2023-45803",
      alias: ["GHSA-g4mx-q9vg-27p4"],
      package: pypi("urllib3"),
      ranges: [
        ["0", "1.26.18"],
        ["2.0.0", "2.0.7"],
      ],
    },
    summary: "The body of a request is sent on after a redirect that changes its method to GET",
    ...{ cvss: "CVSS:3.1/AV:A/AC:H/PR:H/UI:N/S:U/C:H/I:N/A:N", cwe: [200] },
  },
  {
    ...{ id: "CVE-2021-33503", alias: ["GHSA-q2q7-5pp4-w6pg"], package: pypi("urllib3"), ranges: [["1.25.4", "1.26.5"]] },
    summary: "An address with many @ in its authority takes quadratic time to read",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [400] },
  },
  {
    ...{ id: "CVE-2020-14343", alias: ["GHSA-8q59-q68h-6hv4"], package: pypi("pyyaml"), ranges: [["0", "5.4"]] },
    summary: "Code runs when a document from outside is read with full_load or FullLoader",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [20], functions: ["full_load", "FullLoader", "load"] },
  },
  {
    ...{ id: "CVE-2020-1747", alias: ["GHSA-6757-jp84-gxfx"], package: pypi("pyyaml"), ranges: [["5.1b7", "5.3.1"]] },
    summary: "Code runs when a document from outside is read with full_load or FullLoader",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [20], functions: ["full_load", "FullLoader", "load"] },
  },
  {
    ...{ id: "CVE-2023-50447", alias: ["GHSA-3f63-hfp8-52jq"], package: pypi("pillow"), ranges: [["0", "10.2.0"]] },
    summary: "ImageMath.eval runs code that the names of its environment carry",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [94, 95], functions: ["ImageMath.eval"] },
  },
  {
    ...{ id: "CVE-2023-4863", alias: ["GHSA-j7hp-h8jx-5ppr"], package: pypi("pillow"), ranges: [["0", "10.0.1"]] },
    summary: "A crafted WebP picture writes beyond the heap in the bundled libwebp",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", cwe: [787] },
  },
  {
    ...{ id: "CVE-2024-28219", alias: ["GHSA-44wm-f244-xhp3"], package: pypi("pillow"), ranges: [["0", "10.3.0"]] },
    summary: "A colour profile with long names overflows a buffer",
    ...{ severity: "HIGH", cwe: [120, 680] },
  },
  {
    ...{
      id: "CVE-2023-30861",
      alias: ["GHSA-m2qf-hxjv-5gpq"],
      package: pypi("flask"),
      ranges: [
        ["0", "2.2.5"],
        ["2.3.0", "2.3.2"],
      ],
    },
    summary: "A caching proxy may give one user's session cookie to others, as Vary: Cookie is missing",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", cwe: [488, 539] },
  },
  {
    ...{ id: "CVE-2023-25577", alias: ["GHSA-xg9f-g7g7-2323"], package: pypi("werkzeug"), ranges: [["0", "2.2.3"]] },
    summary: "A multipart body with very many parts keeps processor and memory busy",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [770] },
  },
  {
    ...{
      id: "CVE-2023-46136",
      alias: ["GHSA-hrfv-mqp8-q5rw"],
      package: pypi("werkzeug"),
      ranges: [
        ["0", "2.3.8"],
        ["3.0.0", "3.0.1"],
      ],
    },
    summary: "A multipart body that begins with a line break and then many bytes takes quadratic time",
    ...{ severity: "MODERATE", cwe: [400, 407] },
  },
  {
    ...{ id: "CVE-2024-34069", alias: ["GHSA-2g68-c3qc-8985"], package: pypi("werkzeug"), ranges: [["0", "3.0.3"]] },
    summary: "The debugger can be reached through a domain of an attacker, and then runs code",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:H", cwe: [352] },
  },
  {
    ...{
      id: "CVE-2022-28346",
      alias: ["GHSA-2gwj-7jmv-h26r"],
      package: pypi("django"),
      ranges: [
        ["2.2", "2.2.28"],
        ["3.0", "3.2.13"],
        ["4.0", "4.0.4"],
      ],
    },
    summary: "SQL injection by the names of keyword arguments of annotate, aggregate and extra",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [89] },
  },
  {
    ...{
      id: "CVE-2022-34265",
      alias: ["GHSA-p64x-8rxx-wf6q"],
      package: pypi("django"),
      ranges: [
        ["3.2", "3.2.14"],
        ["4.0", "4.0.6"],
      ],
    },
    summary: "SQL injection by the kind or lookup name of Trunc and Extract",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [89], functions: ["db.models.functions.Trunc", "db.models.functions.Extract"] },
  },
  {
    ...{
      id: "CVE-2024-42005",
      alias: ["GHSA-pv4p-cwwg-4rph"],
      package: pypi("django"),
      ranges: [
        ["4.2", "4.2.15"],
        ["5.0", "5.0.8"],
      ],
    },
    summary: "SQL injection by the names of columns that values and values_list take of a JSON field",
    ...{ severity: "CRITICAL", cwe: [89] },
  },
  {
    ...{ id: "CVE-2023-0286", alias: ["GHSA-x4qr-2fvf-3mr5"], package: pypi("cryptography"), ranges: [["0.8.1", "39.0.1"]] },
    summary: "The bundled OpenSSL mistakes one type of an X.400 address for another, and reads memory that is not its own",
    ...{ severity: "HIGH", cwe: [843] },
  },
  {
    ...{ id: "CVE-2023-49083", alias: ["GHSA-jfhm-5ghh-2f97"], package: pypi("cryptography"), ranges: [["3.1", "41.0.6"]] },
    summary: "Loading a crafted PKCS#7 bundle crashes the process",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [476] },
    functions: ["hazmat.primitives.serialization.pkcs7.load_pem_pkcs7_certificates", "hazmat.primitives.serialization.pkcs7.load_der_pkcs7_certificates"],
  },
  {
    ...{ id: "CVE-2024-23334", alias: ["GHSA-5h86-8mv2-jq9f"], package: pypi("aiohttp"), ranges: [["1.0.5", "3.9.2"]] },
    summary: "Static routes with follow_symlinks give out files outside of their directory",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", cwe: [22], functions: ["web.static"] },
  },
  {
    ...{ id: "CVE-2024-30251", alias: ["GHSA-5m98-qgg9-wh84"], package: pypi("aiohttp"), ranges: [["0", "3.9.4"]] },
    summary: "A crafted multipart request sends the server into an endless loop",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [835] },
  },
  {
    ...{ id: "CVE-2022-40897", alias: ["GHSA-r9hx-vwmv-q579"], package: pypi("setuptools"), ranges: [["0", "65.5.1"]] },
    summary: "A crafted page of an index makes package_index take quadratic time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [1333], functions: ["package_index"] },
  },
  {
    ...{ id: "CVE-2024-6345", alias: ["GHSA-cx63-2mw6-8hw5"], package: pypi("setuptools"), ranges: [["0", "70.0.0"]] },
    summary: "An address of a package from outside becomes a command when package_index fetches it",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", cwe: [94], functions: ["package_index"] },
  },
  {
    ...{ id: "CVE-2022-40898", alias: ["GHSA-qwmp-2cf2-g9g6"], package: pypi("wheel"), ranges: [["0", "0.38.1"]] },
    summary: "A crafted name of a wheel makes a regular expression take exponential time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [20] },
  },
  {
    ...{ id: "CVE-2023-37920", alias: ["GHSA-xqr8-7jwr-rhp7"], package: pypi("certifi"), ranges: [["2015.4.28", "2023.7.22"]] },
    summary: "The bundle trusts the roots of e-Tugra, which are no longer to be trusted",
    ...{ severity: "HIGH", cwe: [345] },
  },
  {
    ...{ id: "CVE-2024-3651", alias: ["GHSA-jjg7-2v4v-x38h"], package: pypi("idna"), ranges: [["0", "3.7"]] },
    summary: "encode takes quadratic time on crafted names",
    ...{ severity: "MODERATE", cwe: [400], functions: ["encode"] },
  },
  {
    ...{ id: "CVE-2022-29217", alias: ["GHSA-ffqj-6fqr-9h24"], package: pypi("pyjwt"), ranges: [["1.5.0", "2.4.0"]] },
    summary: "A public key in a form that is not refused can be used as the secret of an HMAC",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", cwe: [327], functions: ["decode"] },
  },
  {
    ...{ id: "CVE-2023-36258", alias: ["GHSA-2qmj-7962-cjq8"], package: pypi("langchain"), ranges: [["0", "0.0.247"]] },
    summary: "PALChain runs the Python code that a model was made to write",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [94], functions: ["chains.PALChain"] },
  },
  {
    ...{ id: "CVE-2023-29374", alias: ["GHSA-fprp-p869-w6q2"], package: pypi("langchain"), ranges: [["0", "0.0.142"]] },
    summary: "LLMMathChain runs the Python code that a model was made to write",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [74], functions: ["LLMMathChain", "chains.LLMMathChain"] },
  },
  {
    ...{ id: "CVE-2024-1561", package: pypi("gradio"), ranges: [["0", "4.13.0"]] },
    summary: "Anybody can have any file of the server moved to where it can be downloaded",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", cwe: [29] },
  },
  {
    ...{ id: "CVE-2023-1177", alias: ["GHSA-xg73-94fp-g449"], package: pypi("mlflow"), ranges: [["0", "2.2.1"]] },
    summary: "Anybody can read any file of the server through a model version's source",
    ...{ severity: "CRITICAL", cwe: [29] },
  },
  {
    ...{ id: "CVE-2023-7018", alias: ["GHSA-v68g-wm8c-6x7j"], package: pypi("transformers"), ranges: [["0", "4.36.0"]] },
    summary: "Loading a vocabulary of a hub's repository unpickles it, which runs code",
    ...{ severity: "HIGH", cwe: [502] },
  },
  {
    ...{ id: "CVE-2024-24762", alias: ["GHSA-2jv5-9r88-3w3p"], package: pypi("python-multipart"), ranges: [["0", "0.0.7"]] },
    summary: "A crafted Content-Type header makes a regular expression take exponential time",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", cwe: [400, 1333] },
  },
  {
    ...{ id: "CVE-2024-47874", alias: ["GHSA-f96h-pmfr-66vw"], package: pypi("starlette"), ranges: [["0", "0.40.0"]] },
    summary: "Form fields without a file name are kept in memory without a limit",
    ...{ severity: "HIGH", cwe: [770] },
  },
  {
    ...{ id: "CVE-2023-40590", alias: ["GHSA-wfm5-v35h-vwf4"], package: pypi("gitpython"), ranges: [["0", "3.1.33"]] },
    summary: "On Windows, a git.exe in the repository is run instead of the installed one",
    ...{ cvss: "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", cwe: [426] },
  },
  {
    ...{ id: "CVE-2022-24439", alias: ["GHSA-hcpj-qp55-gfph"], package: pypi("gitpython"), ranges: [["0", "3.1.30"]] },
    summary: "An address given to clone becomes a command through ext::",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", cwe: [20], functions: ["Repo.clone_from"] },
  },
  {
    ...{ id: "CVE-2021-43818", alias: ["GHSA-55x5-fj6c-h6m8"], package: pypi("lxml"), ranges: [["0", "4.6.5"]] },
    summary: "The HTML cleaner lets script through in SVG pictures",
    ...{ severity: "HIGH", cwe: [74, 79], functions: ["html.clean.Cleaner", "html.clean.clean_html"] },
  },
  {
    ...{ id: "CVE-2023-28370", alias: ["GHSA-hj3f-6gcp-jg8j"], package: pypi("tornado"), ranges: [["0", "6.3.2"]] },
    summary: "StaticFileHandler can be made to redirect to any host",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", cwe: [601] },
  },
  {
    ...{ id: "CVE-2021-41496", package: pypi("numpy"), ranges: [["0", "1.22.0"]] },
    summary: "f2py copies an array of negative dimensions beyond its buffer",
    ...{ severity: "MODERATE", cwe: [120] },
  },
  {
    ...{ id: "CVE-2024-1135", alias: ["GHSA-w3h3-4rj7-4ph4"], package: pypi("gunicorn"), ranges: [["0", "22.0.0"]] },
    summary: "Transfer-Encoding headers that are not checked let a request be smuggled past a proxy",
    ...{ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N", cwe: [444] },
  },
];
