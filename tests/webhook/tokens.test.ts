/** Which tokens are valid, and those of one request. */
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import { faxWebhook, type FaxWebhookOptions, signRequest, verifyRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, TEXT, TOKEN, plain, refusalOf, request, setUp, sign, thrower } from "./support.js";

const url = `${ORIGIN}/fax`;
const params = INCOMING;
const signature = sign(url + Object.entries(params).sort().flat().join(""));

describe("signRequest and verifyRequest: tokens", () => {
  it("accepts any of several tokens, and no other", () => {
    expect(verifyRequest({ authToken: ["new", TOKEN], url, params, signature })).toBe(true);
    expect(verifyRequest({ authToken: ["new", "newer"], url, params, signature })).toBe(false);
  });

  it.each([[""], [" "], [[]], [["12345", ""]], [[,]], [undefined], [null], [12345], [{}]])(
    "throws for the token %j",
    (token) => {
      const call = () => verifyRequest({ authToken: token as string, url, params, signature });
      expect(call).toThrow(TypeError);
      expect(call).toThrow(/authToken.*environment variable/);
      expect(() => signRequest({ authToken: token as string, url, params })).toThrow(/authToken/);
    },
  );
});

describe("signRequest, verifyRequest and faxWebhook: the message for an invalid token", () => {
  it.each<[unknown, string]>([
    ["", ". Is the environment variable set?"],
    [Promise.resolve(TOKEN), ": is an await missing?"],
  ])("is the same for %o", (authToken, hint) => {
    const options = { authToken, url, params, signature } as never;
    const message = `authToken must be text that is not empty, without white space around it, or several such${hint}`;
    expect(() => signRequest(options)).toThrow(new TypeError(message));
    expect(() => verifyRequest(options)).toThrow(new TypeError(message));
    expect(() => faxWebhook({ authToken, onFax: () => reject() } as never)).toThrow(new TypeError(message));
  });
});

describe("handle: tokens", () => {
  it("takes any of several tokens", async () => {
    const { handle } = setUp({ authToken: ["next", TOKEN] });
    expect((await handle(request())).status).toBe(200);
    expect((await handle(request({ token: "next" }))).status).toBe(200);
    expect((await handle(request({ token: "last" }))).status).toBe(403);
  });

  it.each<[string, FaxWebhookOptions["authToken"]]>([
    ["text", (sid) => (sid === "AC1" ? TOKEN : undefined)],
    ["several", () => ["next", TOKEN]],
    ["a promise", async (sid) => (sid === "AC1" ? TOKEN : null)],
  ])("asks a function for the token of the AccountSid: %s", async (_, authToken) => {
    const webhook = setUp({ authToken });
    for (const method of ["POST", "GET"]) expect((await webhook.handle(request({ method }))).status).toBe(200);
    expect(await refusalOf(webhook, request({ token: "guessed" }))).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["empty text", ""],
    ["white space", " "],
    ["an empty list", []],
    ["a list with an empty token", [TOKEN, ""]],
    ["a promise of undefined", Promise.resolve(undefined)],
    ["true", true],
    ["false", false],
    ["a number", 12345],
    ["an object", {}],
    ["a function, as a record's own constructor is", Object],
  ])("refuses with no-token when the function gives %s", async (_, found) => {
    const webhook = setUp({ authToken: (() => found) as never });
    for (const AccountSid of ["AC1", "constructor"])
      expect(await refusalOf(webhook, request({ params: { ...INCOMING, AccountSid } }))).toEqual([
        403,
        "forbidden",
        "no-token",
      ]);
    expect(webhook.onFax).not.toHaveBeenCalled();
  });

  it.each(["../../etc", "", "x".repeat(41), "AC1\n", undefined])("does not ask the function for %j", async (sid) => {
    const authToken = vi.fn(() => TOKEN);
    const { AccountSid: _, ...others } = INCOMING;
    const params = sid === undefined ? others : { ...others, AccountSid: sid };
    expect(await refusalOf(setUp({ authToken }), request({ params }))).toEqual([403, "forbidden", "no-token"]);
    expect(authToken).not.toHaveBeenCalled();
  });

  it("asks with the first of two AccountSids, which then cost the request", async () => {
    const authToken = vi.fn(() => TOKEN);
    const body = `${TEXT}&AccountSid=AC2`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    const reply = await setUp({ authToken }).handle(request({ body, headers: { "x-twilio-signature": signature } }));
    expect(plain(reply)).toEqual([400, "invalid-parameters"]);
    expect(authToken.mock.calls).toEqual([["AC1"]]);
  });

  it("rejects with what the function throws", async () => {
    const error = new Error("no vault");
    await expect(setUp({ authToken: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    await expect(setUp({ authToken: thrower(error) }).handle(request())).rejects.toBe(error);
  });
});
