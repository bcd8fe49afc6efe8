/** The hints of a signature mismatch. */
import { describe, expect, it } from "vitest";
import { type FaxWebhookOptions, type HandleRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, request, setUp, sign } from "./support.js";

/** The message of the refusal of a request. */
async function getMessage(sent: HandleRequest, options: Partial<FaxWebhookOptions> = {}): Promise<string> {
  const { handle, refusals, onFax } = setUp({ publicUrl: "https://wrong.example.com", ...options });
  expect((await handle(sent)).status).not.toBe(200);
  expect(onFax).not.toHaveBeenCalled();
  return refusals[0]!.message;
}

describe("handle: the hint of a signature mismatch", () => {
  it.each<[string, Record<string, string>, string]>([
    ["X-Forwarded-Host", { "x-forwarded-host": "fax.example.com" }, ORIGIN],
    ["the first X-Forwarded-Host", { "x-forwarded-host": " fax.example.com , b.example" }, ORIGIN],
    ["X-Forwarded-Proto", { "x-forwarded-host": "a.example", "x-forwarded-proto": "http" }, "http://a.example"],
    ["http", { "x-forwarded-host": "a.example" }, "http://a.example"],
    ["Forwarded", { forwarded: 'for=1.2.3.4;host="fax.example.com";proto=https' }, ORIGIN],
    ["Forwarded with upper case and spaces", { forwarded: "HOST=a.example ; proto=http" }, "http://a.example"],
    ["the Host header", { host: "fax.example.com" }, ORIGIN],
    ["X-Forwarded-Prefix", { host: "a.example", "x-forwarded-prefix": "/hooks/" }, "https://a.example/hooks"],
    ["the first X-Forwarded-Prefix", { host: "a.example", "x-forwarded-prefix": "/1, /2" }, "https://a.example/1"],
    ["no X-Forwarded-Prefix", { host: "a.example", "x-forwarded-prefix": "/one" }, "https://a.example"],
  ])("names the publicUrl if the signature matches %s, but refuses the request", async (_, headers, base) => {
    const message = await getMessage(request({ url: `${base}/fax`, headers }));
    expect(message).toBe(`The signature matches "${base}/fax". Set publicUrl to "${base}".`);
  });

  it.each([
    ["another scheme", { "x-forwarded-host": "a.example", "x-forwarded-proto": "ftp" }, "ftp://a.example"],
    ["an invalid host", { "x-forwarded-host": "a.example/b" }, "https://a.example/b"],
    ["a prefix without a slash", { host: "a.example", "x-forwarded-prefix": ".evil" }, "https://a.example.evil"],
    ["the second X-Forwarded-Host", { "x-forwarded-host": "b.example, a.example" }, "https://a.example"],
  ])("names no publicUrl if the signature matches %s", async (_, headers, base) => {
    const signature = sign(`${base}/fax` + Object.entries(INCOMING).sort().flat().join(""));
    const message = await getMessage(request({ headers: { ...headers, "x-twilio-signature": signature } }));
    expect(message).toMatch(/^The signature matches none/);
  });

  it.each([
    ["a JSON body", { headers: { "content-type": "application/json" }, body: "{}" }],
    ["a hex signature of Twilio", { headers: { "x-twilio-signature": "aF09".repeat(10) } }],
    [
      "a hex signature of SignalWire",
      { headers: { "x-twilio-signature": "", "x-signalwire-signature": "a".repeat(40) } },
    ],
  ])("mentions SWML for %s", async (_, sent) => {
    expect(await getMessage(request(sent))).toContain("SWML");
  });

  it.each(["a".repeat(39), "a".repeat(41), "g".repeat(40), `-${"a".repeat(40)}`])(
    "does not mention SWML for the signature %s",
    async (signature) => {
      expect(await getMessage(request({ headers: { "x-twilio-signature": signature } }))).not.toContain("SWML");
    },
  );

  it("asks for the signing key if a token is an API token of SignalWire, and does not contain the token", async () => {
    const sent = request({ header: "x-signalwire-signature", token: "PSK_right" });
    expect(await getMessage(sent, { authToken: ["PSK_other", "PT0123456789"] })).toMatch(/(?!.*PT0123).*PSK_…/);
    expect(await getMessage(sent, { authToken: "PSK_PT" })).not.toContain("PSK_");
    expect(await getMessage(request({ token: "PSK_right" }), { authToken: "PT0123456789" })).not.toContain("PSK_");
  });
});
