/** The hints of a signature mismatch. */
import { describe, expect, it } from "vitest";
import { type FaxWebhookOptions, type HandleRequest } from "../../src/webhook/index.js";
import { ORIGIN, request, setUp, sign } from "./support.js";

describe("handle: the hint of a mismatch", () => {
  const message = async (sent: HandleRequest, options: Partial<FaxWebhookOptions> = {}) => {
    const { handle, refusals, onFax } = setUp(options);
    expect((await handle(sent)).status).not.toBe(200);
    expect(onFax).not.toHaveBeenCalled();
    return refusals[0]!.message;
  };

  it.each<[string, Record<string, string>, string]>([
    ["X-Forwarded-Host", { "x-forwarded-host": "fax.example.com" }, ORIGIN],
    ["X-Forwarded-Host in a list", { "x-forwarded-host": "fax.example.com, b.example" }, ORIGIN],
    [
      "X-Forwarded-Prefix",
      { "x-forwarded-host": "fax.example.com", "x-forwarded-prefix": "/hooks/" },
      `${ORIGIN}/hooks`,
    ],
    ["Forwarded", { forwarded: 'for=1.2.3.4;host="fax.example.com";proto=https' }, ORIGIN],
    ["the Host header, beside a wrong publicUrl", { host: "fax.example.com" }, ORIGIN],
  ])("is named when the signature fits %s, which lets nobody in", async (_, headers, base) => {
    const hint = await message(request({ url: `${base}/fax`, headers }), { publicUrl: "https://wrong.example.com" });
    expect(hint).toBe(`Set publicUrl to ${base}: the signature fits ${base}/fax.`);
  });

  it("is SWML for a JSON body and for a hex signature", async () => {
    const json = { "content-type": "application/json" };
    expect(await message(request({ headers: json, body: "{}" }))).toContain("cXML");
    expect(
      await message(request({ headers: { "x-signalwire-signature": "a".repeat(40), "x-twilio-signature": "" } })),
    ).toContain("cXML");
  });

  it("is the signing key when an API token is set, and the token is not shown", async () => {
    const sent = request({ header: "x-signalwire-signature", token: "PSK_right" });
    const hint = await message(sent, { authToken: "PT0123456789" });
    expect(hint).toContain("PSK_");
    expect(hint).not.toContain("PT0123456789");
    expect(await message(sent, { authToken: "PSK_other" })).toContain("Compare `urls`");
  });

  it.each([
    ["http by X-Forwarded-Proto", { "x-forwarded-host": "a.example", "x-forwarded-proto": "http" }, "http://a.example"],
    ["http by itself", { "x-forwarded-host": "a.example" }, "http://a.example"],
    ["http by Forwarded", { forwarded: "HOST=a.example ; proto=http" }, "http://a.example"],
    ["the first of several", { "x-forwarded-host": " a.example , b.example" }, "https://a.example"],
    ["a prefix in a list", { host: "a.example", "x-forwarded-prefix": "/one, /two" }, "https://a.example/one"],
    ["no prefix", { host: "a.example", "x-forwarded-prefix": "/one" }, "https://a.example"],
  ])("is named for %s", async (_, headers, base) => {
    const hint = await message(request({ url: `${base}/fax`, headers }), { publicUrl: "https://wrong.example.com" });
    expect(hint).toBe(`Set publicUrl to ${base}: the signature fits ${base}/fax.`);
  });

  it.each([
    ["a scheme that is none", { "x-forwarded-host": "a.example", "x-forwarded-proto": "ftp" }, "ftp://a.example"],
    ["a host that is none", { "x-forwarded-host": "a.example/b" }, "https://a.example/b"],
    ["a prefix without a slash", { host: "a.example", "x-forwarded-prefix": ".evil" }, "https://a.example.evil"],
    ["the second of several", { "x-forwarded-host": "b.example, a.example" }, "https://a.example"],
  ])("is not looked for by %s", async (_, headers, base) => {
    const sent = request({ headers });
    const body = String(sent.body);
    const signature = sign(`${base}/fax` + [...new URLSearchParams(body)].sort().flat().join(""));
    const forged = { ...sent, headers: { ...sent.headers, "x-twilio-signature": signature } } as HandleRequest;
    expect(await message(forged, { publicUrl: "https://wrong.example.com" })).toContain("Compare `urls`");
  });

  it.each(["a".repeat(39), "a".repeat(41), "g".repeat(40), `-${"a".repeat(40)}`])("is not SWML for %s", async (hex) => {
    expect(await message(request({ headers: { "x-twilio-signature": hex } }))).toContain("Compare `urls`");
  });

  it("is the signing key only for SignalWire's header, and when one of several is an API token", async () => {
    const authToken = ["PSK_other", "PT0123456789"];
    const signalwire = request({ header: "x-signalwire-signature", token: "PSK_right" });
    expect(await message(signalwire, { authToken })).toContain("PSK_");
    expect(await message(request({ token: "PSK_right" }), { authToken })).toContain("Compare `urls`");
  });
});
