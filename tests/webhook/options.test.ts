/** The check of the options of faxWebhook. */
import { describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import { faxWebhook, verifyRequest, type FaxWebhookOptions } from "../../src/webhook/index.js";
import { BODY, TOKEN, open, polluted, post, thrower } from "./support.js";

const onFax = () => reject();

describe("faxWebhook options", () => {
  it.each<[string, object, RegExp]>([
    ["authToken: true", { authToken: true }, /^authToken must be/],
    ["onFax: undefined without onCallback", { onFax: undefined }, /^faxWebhook needs onFax .* onCallback/],
    ["onFax: a verb", { onFax: receive() }, /^onFax must be a function/],
    ["onCallback: null", { onCallback: null }, /^onCallback must be a function/],
    ["onRefused: a string", { onRefused: "log" }, /^onRefused must be a function/],
    ["maxFormBytes: 0", { maxFormBytes: 0 }, /^maxFormBytes must be an integer of at least 1/],
    ["maxFormBytes: 1.5", { maxFormBytes: 1.5 }, /^maxFormBytes must be/],
    ["maxFormBytes: NaN", { maxFormBytes: NaN }, /^maxFormBytes must be/],
    ["maxMediaBytes: -1", { maxMediaBytes: -1 }, /^maxMediaBytes must be an integer of at least 0/],
    ['maxMediaBytes: "1"', { maxMediaBytes: "1" }, /^maxMediaBytes must be/],
    ["maxMediaBytes: Infinity", { maxMediaBytes: Infinity }, /^maxMediaBytes must be/],
    ["maxMediaBytes without onCallback", { maxMediaBytes: 1 }, /^maxMediaBytes requires onCallback/],
    ["publicUrl: 5", { publicUrl: 5 }, /^publicUrl must be/],
    ['publicUrl: ""', { publicUrl: "" }, /^publicUrl must be/],
    ["publicUrl: null", { publicUrl: null }, /^publicUrl must be/],
    ["publicUrl without a scheme", { publicUrl: "fax.example.com" }, /^publicUrl must be/],
    ["publicUrl: a promise", { publicUrl: Promise.resolve("https://fax.example") }, /Is an await missing\?$/],
    ["publicUrl: ftp", { publicUrl: "ftp://u:hunter2@fax.example.com" }, /^publicUrl must be(?!.*hunter2)/],
    ["publicUrl with a space", { publicUrl: "https://fax.example/a b" }, /^publicUrl must be/],
    ["publicUrl with a leading space", { publicUrl: " https://fax.example" }, /^publicUrl must be/],
    ["publicUrl with a line break", { publicUrl: "https://fax.example\n" }, /^publicUrl must be/],
    ["publicUrl with ? in the password", { publicUrl: "https://user:12?ab@a.example" }, /^publicUrl (?!.*(12|ab))/],
    ["publicUrl with # in the password", { publicUrl: "https://user:12#ab@a.example" }, /^publicUrl (?!.*(12|ab))/],
    ["a misspelled option", { onCalback: onFax }, /"onCalback" \(did you mean "onCallback"\?\)/],
    ["an unknown option", { token: "x" }, /"token"/],
  ])("faxWebhook throws a TypeError for %s", (_, wrong, message) => {
    const options = { authToken: TOKEN, onFax, ...wrong } as FaxWebhookOptions;
    expect(() => faxWebhook(options)).toThrow(TypeError);
    expect(() => faxWebhook(options)).toThrow(message);
  });

  it.each([[undefined], ["t"], [new Map()], [() => ({})]])(
    "faxWebhook throws a TypeError for %s instead of an object",
    (options) => expect(() => faxWebhook(options as never)).toThrow(TypeError),
  );

  it("faxWebhook compiles with an unset environment variable as authToken, and throws at startup", () => {
    expect(() => faxWebhook({ authToken: process.env["NO_SUCH_TOKEN"], onFax })).toThrow(/environment variable/);
    expect(() => faxWebhook({ onFax } as never)).toThrow(/environment variable/);
  });

  it("warns once if authToken is false, and ignores a console that throws", async () => {
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { handle } = open();
    for (let i = 0; i < 2; i++) expect((await handle(post(BODY))).status).toBe(200);
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^twiml-fax: authToken is false/)]]);
    open({ authToken: TOKEN });
    expect(warn).toHaveBeenCalledOnce();
    warn.mockImplementation(thrower(new Error("closed")));
    expect((await open().handle(post(BODY))).status).toBe(200);
    vi.restoreAllMocks();
  });

  it("reads no option from Object.prototype", async () => {
    await polluted({ authToken: false }, () => expect(() => faxWebhook({ onFax } as never)).toThrow(/authToken/));
    await polluted({ authToken: "t" }, () =>
      expect(() => verifyRequest({ url: "https://x.example/", signature: "" } as never)).toThrow(/authToken/),
    );
    await polluted({ maxFormBytes: 10 }, async () => expect((await open().handle(post(BODY))).status).toBe(200));
  });
});
