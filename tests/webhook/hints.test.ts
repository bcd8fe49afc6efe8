/** The hints of a signature mismatch. */
import { describe, expect, it, vi } from "vitest";
import { type FaxWebhookOptions, type HandleRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, request, requestWithout, setUp, sign, TEXT } from "./support.js";

const SHARED_KEY = { "x-twilio-webhooks-signature-settings": "key=1,algorithm=HMAC_SHA256" };

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
    const fix = `Set publicUrl to "${base}/fax", or for several paths to "${base}".`;
    expect(message).toBe(`The signature matches another URL. ${fix}`);
  });

  it("names only the common beginning if publicUrl is the whole URL of another path", async () => {
    const sent = request({ path: "/fax/received", headers: { "x-forwarded-host": "fax.example.com" } });
    expect(await getMessage(sent, { publicUrl: `${ORIGIN}/fax/sent` })).toMatch(
      /Set publicUrl to "https:\/\/fax\.example\.com"\.$/,
    );
  });

  it("names the publicUrl of a GET without its query", async () => {
    const { url: target, headers } = request({ method: "GET", url: `${ORIGIN}/x` });
    const signature = sign(ORIGIN + target);
    const sent = { method: "GET", url: target, headers: { ...headers, host: "fax.example.com" } };
    const message = await getMessage({ ...sent, headers: { ...sent.headers, "x-twilio-signature": signature } });
    expect(message).toContain(`Set publicUrl to "${ORIGIN}/fax", or`);
  });

  it("tries no other URL for a signed text of 8,193 characters", async () => {
    const headers = { host: "fax.example.com" };
    const long = { ...INCOMING, x: "x".repeat(8192 - Object.entries(INCOMING).flat().join("").length - 1) };
    expect(await getMessage(request({ headers, params: long }))).toContain("Set publicUrl to");
    long.x += "x";
    expect(await getMessage(request({ headers, params: long }))).toMatch(/^The signature matches none/);
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

  it("asks for the signing key if every token is an API token of SignalWire, without showing a token", async () => {
    const sent = request({ header: "x-signalwire-signature", token: "PSK_right" });
    expect(await getMessage(sent, { authToken: ["PT1111111111", "PT0123456789"] })).toMatch(/(?!.*PT0123).*PSK_…/);
    expect(await getMessage(sent, { authToken: ["PSK_other", "PT0123456789"] })).not.toContain("PSK_");
    expect(await getMessage(sent, { authToken: "PSK_PT" })).not.toContain("PSK_");
    expect(await getMessage(request({ token: "PSK_right" }), { authToken: "PT0123456789" })).not.toContain("PSK_");
  });

  it.each(['"PSK_1"', "'PSK_1'", "`PSK_1`"])("mentions the quotes of the token %s", async (authToken) => {
    const sent = request({ token: "PSK_1" });
    expect(await getMessage(sent, { authToken })).toMatch(/^authToken contains quotes(?!.*PSK_1)/);
    expect(await getMessage(sent, { authToken: [authToken, "PSK_2"] })).not.toContain("quotes");
    expect(await getMessage(sent, { authToken: authToken.slice(1) })).not.toContain("quotes");
  });

  it("mentions the body parser that has nested the parameters", async () => {
    const sent = request({ body: { ...INCOMING, a: { b: "1" } } });
    expect(await getMessage(sent)).toMatch(/^A body parser has nested the parameters/);
  });

  it.each<[string, HandleRequest]>([
    ["a wrong signature", request({ headers: SHARED_KEY })],
    ["no signature", requestWithout("x-twilio-signature", { headers: SHARED_KEY })],
  ])("mentions the shared key of a request with %s", async (_, sent) => {
    expect(await getMessage(sent)).toContain("shared key (HMAC_SHA256)");
  });

  it("mentions no shared key for another algorithm", async () => {
    const headers = { "x-twilio-webhooks-signature-settings": "algorithm=HMAC_SHA1" };
    expect(await getMessage(request({ headers }))).not.toContain("shared key");
  });

  it.each<[string, HandleRequest]>([
    ["a GET with the text of a form in its URL", request({ method: "GET", path: "/FaxSidFX1" })],
    ["a POST with FaxSid, AccountSid and ApiVersion in its URL", request({ path: `/fax?${TEXT}` })],
  ])("mentions the parameters of another request for %s", async (_, sent) => {
    expect(await getMessage(sent)).toMatch(/^The URL or body contains the parameters of another request/);
  });

  it.each<unknown>([
    undefined,
    null,
    "",
    "fax.example.com",
    5,
    {},
    Promise.resolve(ORIGIN),
    "https://u:53?cret@a.example",
  ])("refuses a request for which publicUrl returns %s, and mentions the function", async (result) => {
    const { handle, refusals } = setUp({ publicUrl: (() => result) as never });
    expect((await handle(request())).status).toBe(403);
    expect(refusals).toMatchObject([{ reason: "signature-mismatch", urls: [] }]);
    expect(refusals[0]!.message).toMatch(/^publicUrl did not return an http\(s\) URL/);
  });

  it("handles the rejection of a promise that publicUrl returns, which would end the process", async () => {
    const unhandled = vi.fn();
    process.once("unhandledRejection", unhandled);
    const { handle } = setUp({ publicUrl: (() => Promise.reject(new Error("offline"))) as never });
    expect((await handle(request())).status).toBe(403);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
