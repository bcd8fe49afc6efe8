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
    expect(accepted).toMatchObject({ outcome: "received", verb: receive({ action: "fax" }), pagesLost: false });
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
      vi.unstubAllEnvs();
      server.close();
    },
  );
});
