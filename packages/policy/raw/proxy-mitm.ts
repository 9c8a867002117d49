import type { NetworkRules } from "@plastron/contracts";
import type { PolicyDocument } from "../parse/schema.ts";
import type { Notes } from "./notes.ts";
import { hostName, isToken } from "./proxy-match.ts";

type Mitm = NonNullable<NonNullable<PolicyDocument["spec"]["policy"]["networkProxyConfig"]>["mitm"]>;
type Mutation = NetworkRules["mitm"]["mutations"][number];

/** They say where a message ends or where it goes: who sets them through a proxy can smuggle one request into another. */
const FRAMING = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive", "proxy-connection"];

/** networkProxyConfig.mitm: names whose TLS the proxy ends, and what it adds to their requests. `path` is where it stands. */
export function mitmOf(mitm: Mitm | undefined, path: string, notes: Notes): NetworkRules["mitm"] {
  if (!mitm) return { domains: [], mutations: [] };
  const domains = mitm.domains.map((domain, i) => domainOf(domain, `${path}.domains[${i}]`, notes)).filter((domain) => domain !== null);
  const mutations = (mitm.headerMutations ?? []).map(({ domain, headers }, i): Mutation => {
    const at = `${path}.headerMutations[${i}]`;
    const name = hostName(domain) ?? domain;
    if (!domains.includes(name)) notes.wrong(`${at}.domain`, `${JSON.stringify(domain)} is not in mitm.domains${notes.meant(domain, domains)}`);
    return { domain: name, headers: headers.map((header, j) => headerOf(header, `${at}.headers[${j}]`, notes)) };
  });
  return { domains: [...new Set(domains)], mutations };
}

function domainOf(domain: string, path: string, notes: Notes): string | null {
  const name = hostName(domain);
  if (name !== null) return name;
  if (/^[0-9a-fA-F.:]+\/[0-9]+$/.test(domain)) notes.row(path, "TLS is ended for names and single addresses; connections to this network pass unopened");
  else notes.wrong(path, `${JSON.stringify(domain)} is not a name, *.name or an address`);
  return null;
}

type Header = NonNullable<Mitm["headerMutations"]>[number]["headers"][number];

/** The value of a secret is not here: the platform looks it up when the sandbox is made. */
function headerOf({ name, value, secretRef }: Header, path: string, notes: Notes): Mutation["headers"][number] {
  if (!isToken(name)) notes.wrong(`${path}.name`, `${JSON.stringify(name)} is not the name of a header`);
  if (FRAMING.includes(name.toLowerCase())) notes.wrong(`${path}.name`, `${name} may not be set: it says where a request ends or goes`);
  if (value && secretRef) notes.wrong(path, "has both value and secretRef: only one of them may be used");
  if (!value && !secretRef) notes.wrong(path, "needs a value or a secretRef");
  // A line break would end the header.
  if (value && /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(value)) notes.wrong(`${path}.value`, "has a character that no header may have");
  return { name, value: value || null, secret: secretRef ? { name: secretRef.name, key: secretRef.key } : null };
}
