/** Options that cannot work. */
import { describe, expect, it } from "vitest";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, verifyRequest, type FaxWebhookOptions } from "../../src/webhook/index.js";
import { BODY, TOKEN, open, polluted, post } from "./support.js";

const onFax = () => reject();

describe("faxWebhook: options that cannot work throw a TypeError", () => {
  const PUBLIC_URL =
    'publicUrl must be the http(s) URL at the provider, or its beginning, such as "https://fax.example.com", not ';

  it.each<[string, object, string | RegExp]>([
    ["authToken: undefined", { authToken: undefined }, /authToken/],
    ["authToken: null", { authToken: null }, /authToken/],
    ['authToken: ""', { authToken: "" }, /environment variable/],
    ['authToken: " "', { authToken: " " }, /authToken/],
    ["authToken: []", { authToken: [] }, /authToken/],
    ['authToken: ["a", ""]', { authToken: ["a", ""] }, /authToken/],
    ["authToken: [undefined]", { authToken: [undefined] }, /authToken/],
    ["authToken: true", { authToken: true }, /authToken/],
    ["authToken: 12345", { authToken: 12345 }, /authToken/],
    ["onFax: undefined without onCallback", { onFax: undefined }, /^Give onFax, .* or onCallback/],
    ["onFax: a verb", { onFax: receive() }, /onFax must be a function/],
    ["onFax: 1", { onFax: 1 }, "onFax must be a function, not 1."],
    ["onCallback: null", { onCallback: null }, /onCallback/],
    ["onCallback: text", { onCallback: "x" }, 'onCallback must be a function, not "x".'],
    ["onRefused: text", { onRefused: "log" }, /onRefused/],
    ["onRefused: {}", { onRefused: {} }, "onRefused must be a function, not an object."],
    ["maxFormBytes: 0", { maxFormBytes: 0 }, "maxFormBytes must be a whole number of bytes from 1 on, not 0."],
    ["maxFormBytes: 1.5", { maxFormBytes: 1.5 }, "maxFormBytes must be a whole number of bytes from 1 on, not 1.5."],
    ["maxFormBytes: NaN", { maxFormBytes: NaN }, /maxFormBytes/],
    ["maxMediaBytes: -1", { maxMediaBytes: -1 }, "maxMediaBytes must be a whole number of bytes from 0 on, not -1."],
    ['maxMediaBytes: "1"', { maxMediaBytes: "1" }, 'maxMediaBytes must be a whole number of bytes from 0 on, not "1".'],
    ["maxMediaBytes: Infinity", { maxMediaBytes: Infinity }, /maxMediaBytes/],
    ["maxMediaBytes without onCallback", { maxMediaBytes: 1 }, /^Give onCallback as well: maxMediaBytes lets pages in/],
    ["publicUrl: 5", { publicUrl: 5 }, `${PUBLIC_URL}5.`],
    ['publicUrl: ""', { publicUrl: "" }, /publicUrl/],
    ["publicUrl: null", { publicUrl: null }, /publicUrl/],
    ["publicUrl without a scheme", { publicUrl: "fax.example.com" }, `${PUBLIC_URL}"fax.example.com".`],
    ['publicUrl: "ftp://…"', { publicUrl: "ftp://fax.example.com" }, /publicUrl/],
    ["publicUrl with a space in it", { publicUrl: "https://fax.example/a b" }, /publicUrl must be/],
    ["publicUrl with a space before it", { publicUrl: " https://fax.example" }, /publicUrl must be/],
    ["publicUrl with a line end", { publicUrl: "https://fax.example\n" }, /publicUrl must be/],
    [
      "a name that is nearly one",
      { onCalback: onFax },
      /^faxWebhook has no option "onCalback" \(did you mean "onCallback"\?\); there are/,
    ],
    ["a name that is not one", { token: "x" }, /^faxWebhook has no option "token"/],
  ])("refuses %s", (_, wrong, message) => {
    const options = { authToken: TOKEN, onFax, ...wrong } as FaxWebhookOptions;
    expect(() => faxWebhook(options)).toThrow(TypeError);
    expect(() => faxWebhook(options)).toThrow(typeof message === "string" ? new TypeError(message) : message);
  });

  it("refuses options without authToken, and without both onFax and onCallback", () => {
    expect(() => faxWebhook({ onFax } as never)).toThrow(TypeError);
    expect(() => faxWebhook({ onFax } as never)).toThrow(/authToken/);
    expect(() => faxWebhook({ authToken: TOKEN } as never)).toThrow(TypeError);
    expect(() => faxWebhook({ authToken: TOKEN } as never)).toThrow(/^Give onFax, .* or onCallback/);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["text", "t"],
    ["a Map", new Map()],
    ["a function", () => ({})],
  ])("refuses %s in place of options", (_, options) => {
    expect(() => faxWebhook(options as never)).toThrow(/^faxWebhook takes an object of options, not /);
  });

  it("compiles with a variable that is not set, and throws at start-up", () => {
    expect(() => faxWebhook({ authToken: process.env["NO_SUCH_TOKEN"], onFax })).toThrow(/environment variable/);
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

describe("faxWebhook: a polluted prototype", () => {
  it("lets nobody in by a polluted authToken, and refuses nobody by a polluted limit", async () => {
    await polluted({ authToken: false }, () => expect(() => faxWebhook({ onFax } as never)).toThrow(/authToken/));
    await polluted({ authToken: "t" }, () =>
      expect(() => verifyRequest({ url: "https://x.example/", signature: "" } as never)).toThrow(/authToken/),
    );
    await polluted({ maxFormBytes: 10 }, async () => expect((await open().handle(post(BODY))).status).toBe(200));
  });
});
