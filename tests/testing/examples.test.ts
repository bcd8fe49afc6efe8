/** The README's servers, tried as a user would: through the published provider, in vitest and in node:test. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createFaxProvider } from "twiml-fax/testing";
import { receive, reject } from "twiml-fax";
import { EXAMPLES } from "../servers/examples.js";
import { portOf } from "../servers/listen.js";

const NAMES = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[];

describe.each(NAMES)("the example for %s", (name) => {
  let server: Awaited<ReturnType<(typeof EXAMPLES)[typeof name]>>;
  let url: string;
  beforeAll(async () => {
    for (const [key, value] of Object.entries({ FAX_AUTH_TOKEN: "PSK_test", PORT: "0" })) vi.stubEnv(key, value);
    vi.resetModules();
    server = await EXAMPLES[name]();
    url = `http://127.0.0.1:${await portOf(server)}/fax`;
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => {
    vi.unstubAllEnvs();
    server.close();
  });

  it("accepts a fax and hears of its pages, rejects another, and refuses a forgery", async () => {
    const log = vi.spyOn(console, "log").mockReturnValue();
    vi.spyOn(console, "warn").mockReturnValue();
    const provider = createFaxProvider({ url, authToken: "PSK_test" });
    const accepted = await provider.sendFax();
    expect(accepted).toMatchObject({ outcome: "received", verb: { verb: receive().verb }, pagesLost: false });
    expect(log.mock.calls.flat()).toContain(accepted.faxSid);
    expect((await provider.sendFax({ from: "+15005550006" })).verb).toEqual(reject());
    const forged = await createFaxProvider({ url, authToken: "guessed" }).sendFax();
    expect(forged.exchanges[0]?.response).toMatchObject({ status: 403, body: "forbidden" });
  });
});

describe("a user's test", () => {
  it("runs under node:test", () => {
    const file = join(import.meta.dirname, "node.test.mjs");
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|VITEST|NODE_TEST)/.test(name)),
    );
    const out = execFileSync(process.execPath, ["--test", file], { encoding: "utf8", env });
    expect(out).toMatch(/pass 3\b[\s\S]*fail 0\b/);
  });
});
