/** The README's servers, tested with the published provider. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createFaxProvider, type ProviderFetch } from "twiml-fax/testing";
import { receive, reject } from "twiml-fax";
import { stored } from "../servers/platforms/stored.js";
import { EXAMPLES } from "../servers/examples.js";
import { portOf } from "../servers/listen.js";

const NAMES = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[];
const PAGES = new TextEncoder().encode("%PDF-1.4 the pages of a test");

describe.each(NAMES)("the example for %s", (name) => {
  const store = createServer((_, res) => void res.end(PAGES)).listen(0, "127.0.0.1");
  let server: Awaited<ReturnType<(typeof EXAMPLES)[typeof name]>>;
  let url: string;
  let host: string;
  beforeAll(async () => {
    host = `127.0.0.1:${await portOf(store)}`;
    const env = { FAX_AUTH_TOKEN: "PSK_test", PORT: "0", MEDIA_HOSTS: host };
    for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
    vi.resetModules();
    server = await EXAMPLES[name]();
    url = `http://127.0.0.1:${await portOf(server)}/fax`;
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => {
    vi.unstubAllEnvs();
    for (const each of [server, store]) each.close();
  });

  it("saves pages, logs failed faxes, rejects a number, and returns 403 for a forged request", async () => {
    for (const method of ["log", "error", "warn"] as const) vi.spyOn(console, method).mockReturnValue();
    const provider = createFaxProvider({ url, authToken: "PSK_test" });
    const accepted = await provider.sendFax({ pages: PAGES, mediaUrl: `http://${host}/1` });
    expect(accepted).toMatchObject({ outcome: "received", verb: receive({ action: "/fax" }), pagesLost: false });
    const file = `faxes/${accepted.faxSid}.pdf`;
    await vi.waitFor(() => expect(console.log).toHaveBeenCalledWith(`saved ${file}`));
    expect(stored.get(file) ?? new Uint8Array(readFileSync(file))).toEqual(PAGES);
    const failed = await provider.sendFax({ outcome: "failed" });
    const logged = `NO PAGES: ${failed.faxSid} failed The sending machine hung up.`;
    expect([failed.outcome, vi.mocked(console.error).mock.calls]).toEqual(["failed", [[logged]]]);
    expect((await provider.sendFax({ from: "+15005550006" })).verb).toEqual(reject());
    const forged = await createFaxProvider({ url, authToken: "guessed" }).sendFax();
    expect(forged.exchanges[0]?.response).toMatchObject({ status: 403, body: "forbidden" });
    expect(console.warn).toHaveBeenCalledWith(expect.stringContaining("signature-mismatch"));
  });
});

describe("the first example", () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it("writes each download to a name of its own, flushes it, and renames it", async () => {
    for (const method of ["log", "error", "warn"] as const) vi.spyOn(console, method).mockReturnValue();
    const calls: unknown[][] = [];
    vi.doMock("node:fs/promises", () => ({
      mkdir: () => {},
      writeFile: (name: string, _pages: unknown, options: unknown) => void calls.push(["writeFile", name, options]),
      rename: (from: string, to: string) => void calls.push(["rename", from, to]),
    }));
    const store = createServer((_, res) => void res.end(PAGES)).listen(0, "127.0.0.1");
    const host = `127.0.0.1:${await portOf(store)}`;
    const env = { FAX_AUTH_TOKEN: "PSK_test", PORT: "0", PUBLIC_URL: undefined, MEDIA_HOSTS: host };
    for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
    vi.resetModules();
    const server = await EXAMPLES["node:http"]();
    vi.doUnmock("node:fs/promises");
    const provider = createFaxProvider({ url: `http://127.0.0.1:${await portOf(server)}/fax`, authToken: "PSK_test" });
    await provider.sendFax({ mediaUrl: `http://${host}/1`, params: { FaxSid: "FX1" } });
    const [, temporary] = calls[0]!;
    expect(temporary).toMatch(/^faxes\/FX1\.[0-9a-f-]{36}\.part$/);
    expect(calls).toEqual([
      ["writeFile", temporary, { flush: true }],
      ["rename", temporary, "faxes/FX1.pdf"],
    ]);
    for (const each of [server, store]) each.close();
  });

  it.each([
    ["", ["files.signalwire.com"]],
    ["media.example.com, b.example.com:8443", ["files.signalwire.com", "media.example.com", "b.example.com:8443"]],
  ])("adds MEDIA_HOSTS=%j to the default hosts", async (MEDIA_HOSTS, hosts) => {
    for (const method of ["log", "error", "warn"] as const) vi.spyOn(console, method).mockReturnValue();
    const env = { FAX_AUTH_TOKEN: "PSK_test", PORT: "0", PUBLIC_URL: undefined, MEDIA_HOSTS };
    for (const [key, value] of Object.entries(env)) vi.stubEnv(key, value);
    vi.resetModules();
    const server = await EXAMPLES["node:http"]();
    const url = `http://127.0.0.1:${await portOf(server)}/fax`;
    const realFetch = globalThis.fetch;
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const { host } = new URL(input instanceof Request ? input.url : input);
      return host.startsWith("127.0.0.1:") ? realFetch(input, init) : new Response(PAGES);
    });
    const provider = createFaxProvider({ url, authToken: "PSK_test" });
    for (const host of hosts) {
      const { faxSid, outcome } = await provider.sendFax({ mediaUrl: `https://${host}/1` });
      expect([outcome, new Uint8Array(readFileSync(`faxes/${faxSid}.pdf`))]).toEqual(["received", PAGES]);
    }
    const { outcome } = await provider.sendFax({ mediaUrl: "https://other.example.com/1" });
    expect([outcome, String(vi.mocked(console.error).mock.calls[0]?.[0])]).toEqual([
      "error",
      expect.stringContaining("other.example.com"),
    ]);
    server.close();
  });

  it.each(["/fax/", "/incoming", "/hooks/fax?key=1", "/"])(
    "receives its callback at PUBLIC_URL with the path %s",
    async (path) => {
      for (const method of ["log", "error", "warn"] as const) vi.spyOn(console, method).mockReturnValue();
      const url = `https://fax.example.com${path}`;
      for (const [key, value] of Object.entries({ FAX_AUTH_TOKEN: "PSK_test", PORT: "0", PUBLIC_URL: url })) {
        vi.stubEnv(key, value);
      }
      vi.resetModules();
      const server = await EXAMPLES["node:http"]();
      const origin = `http://127.0.0.1:${await portOf(server)}`;
      const proxied: ProviderFetch = async (request: Request) => {
        const { pathname, search } = new URL(request.url);
        const { headers } = request;
        return fetch(origin + pathname + search, { method: "POST", headers, body: await request.text() });
      };
      const provider = createFaxProvider({ url, authToken: "PSK_test", fetch: proxied });
      const { outcome, exchanges } = await provider.sendFax({ outcome: "failed" });
      expect([outcome, exchanges.map(({ request }) => request.url)]).toEqual(["failed", [url, url]]);
      server.close();
    },
  );
});
