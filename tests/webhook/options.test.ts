/** Options that cannot work. */
import { describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, signRequest, verifyRequest } from "../../src/webhook/index.js";
import { BODY, open, post, sign, TOKEN } from "./support.js";

describe("faxWebhook: options that cannot work throw a TypeError", () => {
  const onFax = () => receive();
  it.each<[string, unknown, RegExp]>([
    ["authToken: undefined", { onFax }, /authToken/],
    ["authToken: null", { onFax, authToken: null }, /authToken/],
    ['authToken: ""', { onFax, authToken: "" }, /environment variable/],
    ['authToken: " "', { onFax, authToken: " " }, /authToken/],
    ["authToken: []", { onFax, authToken: [] }, /authToken/],
    ['authToken: ["a", ""]', { onFax, authToken: ["a", ""] }, /authToken/],
    ["authToken: [undefined]", { onFax, authToken: [undefined] }, /authToken/],
    ["authToken: true", { onFax, authToken: true }, /authToken/],
    ["authToken: 12345", { onFax, authToken: 12345 }, /authToken/],
    ["neither onFax nor onCallback", { authToken: TOKEN }, /^Give onFax, .* or onCallback/],
    ["onFax: a verb", { authToken: TOKEN, onFax: receive() }, /onFax must be a function/],
    ["onCallback: null", { authToken: TOKEN, onFax, onCallback: null }, /onCallback/],
    ["onRefused: text", { authToken: TOKEN, onFax, onRefused: "log" }, /onRefused/],
    ["maxFormBytes: NaN", { authToken: TOKEN, onFax, maxFormBytes: NaN }, /maxFormBytes/],
    ['maxMediaBytes: "10"', { authToken: TOKEN, onFax, maxMediaBytes: "10" }, /maxMediaBytes/],
    ["maxMediaBytes: Infinity", { authToken: TOKEN, onFax, maxMediaBytes: Infinity }, /maxMediaBytes/],
    ['publicUrl: ""', { authToken: TOKEN, onFax, publicUrl: "" }, /publicUrl/],
    ['publicUrl: "ftp://…"', { authToken: TOKEN, onFax, publicUrl: "ftp://fax.example.com" }, /publicUrl/],
    ["publicUrl: null", { authToken: TOKEN, onFax, publicUrl: null }, /publicUrl/],
  ])("%s", (_, options, message) => {
    expect(() => faxWebhook(options as FaxWebhookOptions)).toThrow(TypeError);
    expect(() => faxWebhook(options as FaxWebhookOptions)).toThrow(message);
  });

  it("never shows a token or a password in the message", () => {
    expect(() => faxWebhook({ authToken: ["top-secret", ""], onFax })).toThrow(
      expect.not.stringContaining("top-secret"),
    );
    expect(() => faxWebhook({ authToken: TOKEN, onFax, publicUrl: "ftp://u:hunter2@example.com" })).toThrow(
      /^(?!.*hunter2)/s,
    );
  });
});

describe("faxWebhook, options", () => {
  it.each<[object, string]>([
    [{ onFax: 1 }, "onFax must be a function, not 1."],
    [{ onCallback: "x" }, 'onCallback must be a function, not "x".'],
    [{ onRefused: {} }, "onRefused must be a function, not an object."],
    [{ maxFormBytes: 0 }, "maxFormBytes must be a whole number of bytes from 1 on, not 0."],
    [{ maxFormBytes: 1.5 }, "maxFormBytes must be a whole number of bytes from 1 on, not 1.5."],
    [{ maxMediaBytes: -1 }, "maxMediaBytes must be a whole number of bytes from 0 on, not -1."],
    [{ maxMediaBytes: "1" }, 'maxMediaBytes must be a whole number of bytes from 0 on, not "1".'],
    [
      { publicUrl: 5 },
      'publicUrl must be the http(s) URL at the provider, or its beginning, such as "https://fax.example.com", not 5.',
    ],
    [
      { publicUrl: "fax.example.com" },
      "publicUrl must be the http(s) URL at the provider, or its beginning, such as " +
        '"https://fax.example.com", not "fax.example.com".',
    ],
  ])("refuses %j", (options, message) => {
    expect(() => open(options)).toThrow(new TypeError(message));
  });

  it("rejects when publicUrl is a function that returns no text", async () => {
    const webhook = open({ authToken: "t", publicUrl: () => undefined as unknown as string });
    await expect(webhook.handle(post(BODY, { "x-twilio-signature": sign("x") }))).rejects.toThrow(
      new TypeError(
        "publicUrl must be the http(s) URL at the provider, or its beginning, such as " +
          '"https://fax.example.com", not undefined.',
      ),
    );
  });

  it("asks the token function only for an AccountSid that came", async () => {
    const authToken = vi.fn(() => "t");
    const reply = await open({ authToken }).handle(post("FaxSid=FX1", { "x-twilio-signature": sign("x") }));
    expect([reply.status, reply.body, authToken.mock.calls]).toEqual([403, "forbidden", []]);
  });
});

describe("faxWebhook, options that are not its own", () => {
  const onFax = () => reject();

  it.each<[object, string]>([
    [
      { authToken: "t", onFax, onCalback: onFax },
      'There is no option "onCalback" (did you mean "onCallback"?); there are',
    ],
    [{ authToken: "t", onFax, token: "x" }, 'There is no option "token"'],
    [{ authToken: "t", onFax, maxMediaBytes: 1 }, "Give onCallback as well: maxMediaBytes lets pages in"],
  ])("refuses %j", (options, message) => {
    expect(() => faxWebhook(options as FaxWebhookOptions)).toThrow(message);
  });

  it.each([undefined, "t", new Map(), () => ({})])("refuses %j instead of options", (options) => {
    expect(() => faxWebhook(options as never)).toThrow(/^faxWebhook takes an object of options, not /);
  });

  const polluted = async (name: string, value: unknown, run: () => unknown) => {
    Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true });
    try {
      return await run();
    } finally {
      delete (Object.prototype as Record<string, unknown>)[name];
    }
  };

  it("lets nobody in by a polluted authToken, and refuses nobody by a polluted limit", async () => {
    await polluted("authToken", false, () => expect(() => faxWebhook({ onFax } as never)).toThrow(/authToken/));
    await polluted("authToken", "t", () =>
      expect(() => verifyRequest({ url: "https://x.example/", signature: "" } as never)).toThrow(/authToken/),
    );
    await polluted("maxFormBytes", 10, async () => expect((await open().handle(post(BODY))).status).toBe(200));
  });

  it("compiles with a variable that is not set, and throws at start-up", () => {
    expect(() => faxWebhook({ authToken: process.env["NO_SUCH_TOKEN"], onFax })).toThrow(/environment variable/);
  });

  it("takes a URL object for publicUrl", async () => {
    const webhook = open({ authToken: "t", publicUrl: new URL("https://fax.example") });
    const signature = signRequest({ authToken: "t", url: "https://fax.example/fax", params: BODY });
    expect((await webhook.handle(post(BODY, { "x-twilio-signature": signature }))).status).toBe(200);
  });

  it.each(["https://fax.example/a b", " https://fax.example", "https://fax.example\n"])(
    "refuses white space in publicUrl: %j",
    (publicUrl) => {
      expect(() => open({ publicUrl })).toThrow(/publicUrl must be/);
    },
  );
});
