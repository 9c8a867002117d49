import { once } from "node:events";
import { createServer } from "node:net";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import type { NetworkRules } from "@plastron/contracts";
import { afterEach, describe, expect, it } from "vitest";
import { TOKEN, talk, type World, world } from "../testing/world.ts";

type Http = NetworkRules["http"][number];
const allow = (hosts: string[], more: Partial<Http["match"]> = {}): Http => ({
  rule: 1,
  verdict: "allow",
  audit: true,
  match: { hosts, ports: [], paths: [], methods: [], ...more },
});
const get = (host: string, path = "/get") => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

let use: World;
afterEach(() => use.close());

/** TLS over a connection of the program; whom it believes is not the question here. */
async function tls(to: string, servername: string, port = use.https): Promise<TLSSocket | "reset"> {
  const socket = tlsConnect({ socket: use.dial(to, port), servername, rejectUnauthorized: false });
  return once(socket, "secureConnect").then(
    () => socket.on("error", () => {}),
    () => "reset" as const,
  );
}

const denials = () => use.told.flatMap((message) => (message.type === "violation" && message.action === "DENIED" ? [message.rule_id] : []));

describe("TLS that is not ended", () => {
  it("passes for the name that was connected to, and is that server's own", async () => {
    use = await world({ http: [allow(["api.test"])] });
    const socket = (await tls("api.test", "api.test")) as TLSSocket;
    expect(socket.getPeerX509Certificate()?.toString()).not.toBe(use.authority.pem.certificate);
    expect(await talk(socket, get(`api.test:${use.https}`))).toContain("200 OK");
  });

  it("with another name in its hello is reset: behind one address there are many names", async () => {
    use = await world({ http: [allow(["api.test", "cdn.test"])] });
    expect(await tls("api.test", "cdn.test")).toBe("reset");
    expect(await tls("api.test", "evil.test")).toBe("reset");
    expect(denials()).toEqual(["egress/name-mismatch", "egress/name-mismatch"]);
    expect(await tls("cdn.test", "cdn.test")).not.toBe("reset");
  });

  it("without a name is reset where a rule on a name would have to allow it", async () => {
    use = await world({ http: [allow(["api.test"])] });
    expect(await tls("api.test", "")).toBe("reset");
    expect(denials()).toEqual(["rule0"]);
  });

  it("cannot be allowed by a rule on what nobody sees", async () => {
    use = await world({ http: [allow(["api.test"], { paths: [{ kind: "prefix", path: "/" }] })] });
    expect(await tls("api.test", "api.test")).toBe("reset");
    expect(denials()).toEqual(["rule0"]);
  });
});

describe("TLS that is ended", () => {
  const mitm = {
    domains: ["api.test", "*.wild.test"],
    mutations: [{ domain: "api.test", headers: [{ name: "X-Request-Source", value: "ours", secret: null }] }],
  };

  it("is judged request by request, and a header of the program's under a name of ours is gone", async () => {
    use = await world({ http: [allow(["api.test"], { paths: [{ kind: "exact", path: "/get" }] })], mitm });
    const socket = (await tls("api.test", "api.test")) as TLSSocket;
    const host = `api.test:${use.https}`;
    const answer = await talk(socket, `GET /get HTTP/1.1\r\nHost: ${host}\r\nx-request-source: forged\r\n\r\n${get(host, "/other")}`);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 403"]);
    expect(answer).toContain('"x-request-source":"ours"');
    expect(answer).not.toContain("forged");
  });

  it("does not serve another host than the one that it was ended for: that is domain fronting", async () => {
    use = await world({ http: [allow(["api.test", "cdn.test"])], mitm });
    const socket = (await tls("api.test", "api.test")) as TLSSocket;
    expect(await talk(socket, get(`cdn.test:${use.https}`))).toContain("403");
    expect(use.reached).toEqual([]);
    expect(denials()).toEqual(["egress/name-mismatch"]);
  });

  it("is not ended for a name that was not connected to", async () => {
    use = await world({ http: [allow(["api.test", "cdn.test"])], mitm });
    expect(await tls("cdn.test", "api.test")).toBe("reset");
    expect(await tls("8.8.8.8", "api.test")).toBe("reset");
    expect(denials()).toEqual(["egress/name-mismatch", "rule0"]);
  });

  it("speaks no HTTP/2, whatever the program offers", async () => {
    use = await world({ http: [allow(["api.test"])], mitm });
    const socket = tlsConnect({
      socket: use.dial("api.test", use.https),
      servername: "api.test",
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
    });
    await once(socket, "secureConnect");
    expect(socket.alpnProtocol).toBe("http/1.1");
    socket.destroy();
  });

  it("trusts only a server that is certified as that name", async () => {
    use = await world({ http: [allow(["api.test"])], mitm });
    const socket = (await tls("api.test", "api.test", use.raw)) as TLSSocket;
    expect(await talk(socket, get(`api.test:${use.raw}`), 1500)).not.toContain("200");
  });

  it("gives no request on whose secret cannot be read, and says which without saying it", async () => {
    const secret = { name: "api", key: "token" };
    use = await world({
      http: [allow(["api.test"])],
      mitm: { ...mitm, mutations: [{ domain: "api.test", headers: [{ name: "Authorization", value: null, secret }] }] },
    });
    const socket = (await tls("api.test", "api.test")) as TLSSocket;
    expect(await talk(socket, get(`api.test:${use.https}`))).toMatch(/502[\s\S]*secret api\/token is needed/);
    expect(use.reached).toEqual([]);
  });
});

describe("a name that leads inwards", () => {
  it.each([["127.0.0.1"], ["169.254.169.254"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["10.0.0.1"], ["fd00:ec2::254"]])(
    "(%s) is refused, however the policy allows the name",
    async (address) => {
      use = await world({ http: [allow(["rebind.test"])], resolve: () => [address] });
      expect(await talk(use.dial("rebind.test", use.http), get(`rebind.test:${use.http}`))).toContain("403");
      expect(denials()).toEqual(["egress/forbidden-address"]);
    },
  );

  it("reaches it where a rule names that address: so it is the check that stops it", async () => {
    const named = { rule: 2, verdict: "allow" as const, audit: false, cidr: "127.0.0.1/32", ports: [] };
    use = await world({ http: [allow(["rebind.test"])], addresses: [named], resolve: () => ["127.0.0.1"] });
    expect(await talk(use.dial("rebind.test", use.http), get(`rebind.test:${use.http}`))).toContain("200 OK");
  });

  it("is connected to at an address that was checked, and asked for once", async () => {
    let asked = 0;
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    const named = { rule: 2, verdict: "allow" as const, audit: false, cidr: "127.0.0.0/8", ports: [] };
    use = await world({ http: [allow(["rebind.test"])], addresses: [named], resolve: () => answers[asked++] ?? ["10.0.0.1"] });
    expect(await talk(use.dial("rebind.test", use.http), get(`rebind.test:${use.http}`))).toContain("200 OK");
    expect(asked).toBe(1);
  });

  it("among others is left out, and held against the policy's rules on addresses", async () => {
    const denied = [{ rule: 3, audit: true, cidr: "127.0.0.2/32", ports: [] }];
    use = await world({ default_action: "allow", default_rule: null, denied, resolve: () => ["10.0.0.1", "127.0.0.2"] });
    expect(await talk(use.dial("two.test", use.http), get("two.test"))).toMatch(/^HTTP\/1.1 403 [\s\S]*belongs to a private/);
    expect(use.reached).toEqual([]);
    expect(denials()).toEqual(["egress/forbidden-address"]);
  });

  it("is not even asked for where nothing could allow it: a question, too, carries something out", async () => {
    const asked: string[] = [];
    use = await world({ http: [allow(["api.test"])], resolve: (name) => ["8.8.8.8"].slice(asked.push(name) - 1) });
    expect(await talk(use.dial("c2VjcmV0.evil.test", 443), get("c2VjcmV0.evil.test"))).toContain("was denied: rule0 (spec[0])");
    expect(asked).toEqual([]);
  });
});

describe("a connection", () => {
  it("with a token that is nobody's is closed, and tells nothing", async () => {
    use = await world({ default_action: "allow", default_rule: null });
    expect(await talk(use.dial("api.test", use.http), get(`api.test:${use.http}`))).toContain("200 OK");
    for (const token of ["b".repeat(64), `${TOKEN.slice(1)}b`, "\0".repeat(64)])
      expect(await talk(use.dial("api.test", use.http, token), get("api.test"))).toBe("");
    expect(use.told).toEqual([]);
  });

  it("of silence is not given on where what is said later could be denied", async () => {
    const deny: Http = { ...allow(["api.test"], { paths: [{ kind: "prefix", path: "/admin" }] }), verdict: "deny" };
    use = await world({ default_action: "allow", default_rule: null, http: [deny] });
    const late = use.dial("api.test", use.raw);
    await new Promise((later) => setTimeout(later, 1300));
    expect(await talk(late, get(`api.test:${use.raw}`, "/admin"))).toContain("403");
    expect(use.reached).toEqual([]);
    const other = use.dial("other.test", use.raw);
    expect(await talk(other, "\0anything", 200)).toBe("");
    expect(use.reached).toEqual(["\0anything"]);
  });

  it("of silence is greeted by a server that speaks first, and then goes both ways", async () => {
    use = await world({ default_action: "allow", default_rule: null, http: [{ ...allow(["evil.test"]), verdict: "deny" }] });
    const server = createServer((socket) => {
      socket.on("error", () => {}).pipe(socket);
      socket.write("220 ready\r\n");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const mail = use.dial("other.test", (server.address() as { port: number }).port);
    mail.once("data", () => mail.write("EHLO x\r\n"));
    expect(await talk(mail, "", 1800)).toBe("220 ready\r\nEHLO x\r\n");
    server.close();
  });

  it("to another name, or to an address, cannot name what is denied, at once or late", async () => {
    use = await world({ default_action: "allow", default_rule: null, http: [{ ...allow(["evil.test"]), verdict: "deny" }] });
    expect(await talk(use.dial("other.test", use.http), get(`other.test:${use.http}`))).toContain("200 OK");
    use.reached.length = 0;
    expect(await talk(use.dial("other.test", use.http), get(`evil.test:${use.http}`))).toContain("403");
    expect(await tls("other.test", "evil.test")).toBe("reset");
    expect(await talk(use.dial("8.8.8.8", 80), get("evil.test"))).toContain("403");
    const late = use.dial("other.test", use.http);
    await new Promise((later) => setTimeout(later, 1300));
    expect(await talk(late, get(`evil.test:${use.http}`))).toContain("403");
    expect(use.reached).toEqual([]);
  });

  it("of bytes that are neither TLS nor HTTP is denied by a rule that could hold for them", async () => {
    const deny: Http = { ...allow(["api.test"], { paths: [{ kind: "prefix", path: "/admin" }] }), verdict: "deny" };
    use = await world({ default_action: "allow", default_rule: null, http: [deny] });
    for (const bytes of ["\r\nGET /admin HTTP/1.1\r\n\r\n", "\x00\x01", "\x16\x03\x01\x00\x01\x01", ` ${get("api.test", "/admin")}`]) {
      expect(await talk(use.dial("api.test", use.raw), bytes, 200)).toBe("");
    }
    expect(use.reached).toEqual([]);
  });
});
