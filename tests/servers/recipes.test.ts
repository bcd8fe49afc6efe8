/** The examples in docs/examples/ that are not servers. */
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseFaxCallback } from "twiml-fax";
import { close, portOf } from "./listen.js";

const load = (name: string): Promise<any> => import(`../../docs/examples/${name}.mjs`);
const CALLBACK = "FaxSid=FX1&AccountSid=AC1&From=&To=%2B1&ApiVersion=v1&FaxStatus=received";
const PDF = "%PDF-1.4 the pages";

beforeEach(() => {
  process.chdir(mkdtempSync(join(tmpdir(), "twiml-fax-recipes-")));
  vi.spyOn(console, "log").mockReturnValue();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.resetModules();
});

describe("reconcile.mjs", () => {
  /** SignalWire's REST API with two pages of faxes, and the files. */
  async function startApi(requests: IncomingMessage[]) {
    const server = createServer((req, res) => {
      requests.push(req);
      const media_url = `http://${req.headers.host}/media`;
      const page1 = [
        { sid: "SAVED", direction: "inbound", media_url },
        { sid: "OUTBOUND", direction: "outbound", media_url },
        { sid: "NOT-READY", direction: "inbound", media_url: null },
      ];
      const first = { faxes: page1, next_page_uri: "/page2" };
      const last = { faxes: [{ sid: "LOST", direction: "inbound", media_url }], next_page_uri: null };
      if (req.url === "/media") return void res.end(PDF);
      res.end(JSON.stringify(req.url === "/page2" ? last : first));
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return server;
  }

  it("saves only inbound faxes that are not saved, from all pages of the list", async () => {
    const requests: IncomingMessage[] = [];
    const server = await startApi(requests);
    const host = `127.0.0.1:${await portOf(server)}`;
    const env = { SPACE_URL: `http://${host}`, PROJECT: "project-1", API_TOKEN: "PT1", MEDIA_HOSTS: host };
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    mkdirSync("faxes");
    writeFileSync("faxes/SAVED.pdf", "older");
    await load("reconcile");
    await close(server);
    expect(readdirSync("faxes").sort()).toEqual(["LOST.pdf", "SAVED.pdf"]);
    expect(readFileSync("faxes/LOST.pdf", "utf8")).toBe(PDF);
    expect(requests.map(({ url }) => url?.replace(/=.*/, ""))).toEqual([
      "/api/laml/2010-04-01/Accounts/project-1/Faxes.json?DateCreatedAfter",
      "/page2",
      "/media",
    ]);
    const basic = `Basic ${Buffer.from("project-1:PT1").toString("base64")}`;
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([basic, basic, undefined]);
  });
});

describe("forward.mjs", () => {
  it("sends the pages, with a subject that cannot begin another header", async () => {
    vi.stubEnv("MAIL_FROM", "fax@example.com");
    vi.stubEnv("MAIL_TO", "office@example.com");
    const { forward } = await load("forward");
    const { sent } = (await import("nodemailer" as string)) as { sent: any[] };
    const pages = new File([PDF], "FX1.pdf", { type: "application/pdf" });
    await forward(parseFaxCallback(CALLBACK), pages);
    await forward({ ...parseFaxCallback(CALLBACK), from: "a\r\nBcc: b@example.com\u2028\u202Ec" }, pages);
    expect(sent.map(({ from, to, subject }) => [from, to, subject])).toEqual([
      ["fax@example.com", "office@example.com", "Fax from a withheld number"],
      ["fax@example.com", "office@example.com", "Fax from a Bcc: b@example.com c"],
    ]);
    expect(sent[0].attachments).toEqual([
      { filename: "FX1.pdf", content: Buffer.from(PDF), contentType: "application/pdf" },
    ]);
  });
});

describe("proxy.mjs", () => {
  it("fetches the pages with undici's proxy agent", async () => {
    const { fetchThroughProxy } = await load("proxy");
    const { dispatchers, EnvHttpProxyAgent } = (await import("undici" as string)) as any;
    const pages = await fetchThroughProxy({ faxSid: "FX1", mediaUrl: "https://files.signalwire.com/1" });
    expect([pages.name, dispatchers]).toEqual(["FX1.pdf", [expect.any(EnvHttpProxyAgent)]]);
  });
});
