import { X509Certificate } from "node:crypto";
import { connect, createServer, type TLSSocket } from "node:tls";
import { describe, expect, it } from "vitest";
import { Authority } from "./authority.ts";

describe("a certificate of ours", () => {
  it("is good for its name alone, and signed by the key that outlives the process", async () => {
    const first = new Authority(null);
    const authority = new Authority(first.pem);
    const server = createServer({ SNICallback: (name, done) => done(null, authority.contextOf(name)) }).listen(0, "127.0.0.1");
    await new Promise((ready) => server.once("listening", ready));
    const { port } = server.address() as { port: number };
    const ask = (servername: string, expected: string) =>
      new Promise<string>((resolve) => {
        const socket: TLSSocket = connect(
          {
            port,
            host: "127.0.0.1",
            servername,
            ca: first.pem.certificate,
            checkServerIdentity: (_, cert) => (cert.subjectaltname === `DNS:${expected}` ? undefined : new Error("another name")),
          },
          () => {
            const leaf = new X509Certificate(socket.getPeerX509Certificate()?.raw as Buffer);
            resolve(leaf.verify(new X509Certificate(first.pem.certificate).publicKey) ? "trusted" : "badly signed");
            socket.destroy();
          },
        ).on("error", (error) => resolve(error.message));
      });
    expect(await ask("api.test", "api.test")).toBe("trusted");
    expect(await ask("api.test", "other.test")).toBe("another name");
    server.close();
  });

  it("has a number that every reader takes: positive, of one form, and no zero in front", () => {
    expect(new X509Certificate(new Authority(null).pem.certificate).serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
  });

  it("is made fast enough that nobody who asks for many stops the others", () => {
    const authority = new Authority(null);
    const begun = process.threadCpuUsage();
    for (let i = 0; i < 20; i++) authority.contextOf(`name-${i}.test`);
    expect(process.threadCpuUsage(begun).user / 20).toBeLessThan(15_000);
  });
});
