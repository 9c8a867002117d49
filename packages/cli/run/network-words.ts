/** What a run or a session could reach, as the server's record tells it. */
export type NetworkView = {
  given_by: "policy" | "request";
  allow: { domains: string[]; cidrs: string[]; ports: number[]; methods: string[]; paths: string[] }[] | null;
  secrets: { env: string; hosts: string[] }[];
} | null;

/** In one line: `api.github.com, GET https://api.example.com/v1/*; secret KEY for api.github.com`. */
export function networkWords(network: NetworkView | undefined): string {
  if (!network) return "none";
  const places = network.allow === null ? ["what its policy allows"] : network.allow.map(entryWords);
  const secrets = network.secrets.map(({ env, hosts }) => `secret ${env} for ${hosts.join(", ")}`);
  return [places.join(", "), ...secrets].join("; ");
}

/** As it would be typed after --allow-net, where that fits on a line. */
function entryWords({ domains, cidrs, ports, methods, paths }: NonNullable<NonNullable<NetworkView>["allow"]>[number]): string {
  const isUsual = ports.length === 2 && ports.includes(80) && ports.includes(443);
  const at = isUsual ? "" : `:${ports.join(",")}`;
  const asked = [...(methods.length > 0 ? [methods.join(",")] : []), ...(paths.length > 0 ? [paths.join(" ")] : [])];
  return `${[...domains, ...cidrs].map((one) => (one.includes(":") ? `[${one}]${at}` : `${one}${at}`)).join(", ")}${asked.length > 0 ? ` (${asked.join(" ")})` : ""}`;
}
