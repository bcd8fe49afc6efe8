/** The verification step: the signature headers, and attacks with a captured request. */
import { describe, expect, it } from "vitest";
import { signRequest, verifyRequest } from "../../src/webhook/index.js";
import { INCOMING, ORIGIN, TOKEN, plain, request, requestWithout, setUp } from "./support.js";

const authToken = TOKEN;
const url = `${ORIGIN}/fax`;

describe("handle: signature headers", () => {
  it.each(["x-twilio-signature", "x-signalwire-signature", "X-Twilio-Signature", "X-SIGNALWIRE-SIGNATURE"])(
    "accepts a signature in the header %s",
    async (header) => {
      expect((await setUp().handle(request({ header }))).status).toBe(200);
    },
  );

  it("accepts a request if only one of two signature headers matches", async () => {
    const wrong = { "x-signalwire-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    expect((await setUp().handle(request({ headers: wrong }))).status).toBe(200);
  });

  it("verifies no signature with authToken: false, but still checks method and parameters", async () => {
    const { handle } = setUp({ authToken: false });
    expect((await handle(requestWithout("x-twilio-signature"))).status).toBe(200);
    expect((await handle(request({ token: "guessed" }))).status).toBe(200);
    expect(plain(await handle(request({ params: { FaxSid: "FX1" } })))).toEqual([400, "invalid-parameters"]);
    expect(plain(await handle({ ...request(), method: "PUT" }))).toEqual([405, "method-not-allowed"]);
  });
});

describe("handle: a captured callback with the same signed text", () => {
  const FaxSid = "FX0123456789abcdef0123456789abcdef";
  const short = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, FaxStatus: "received", From: "+1", To: "+2" };
  const media = { MediaSid: "MD1", MediaUrl: "https://x.example/1.pdf", NumPages: "2", RemoteStationId: "+1" };
  const { FaxStatus: _, ...status } = { ...short, ...media, Status: "received" };
  const middle = "MediaSidMD1MediaUrlhttps://x.example/1.pdfNumPages2RemoteStationId+1";
  const others = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, To: "+2" };

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ["a longer SID", short, { ...others, FaxSid: `${FaxSid}FaxStatusreceived`, From: "+1" }],
    ["a new name", { ...short, ...media }, { ...others, FaxStatusreceived: "", From: `+1${middle}` }],
    ["the caller", status, { ...others, From: `+1${middle}Statusreceived` }],
    ["names of the attacker", status, { ...others, From: "+1Media", [middle.slice(5)]: "Statusreceived" }],
  ])("refuses a callback that is re-split into %s", async (_, params, forged) => {
    expect(signRequest({ authToken, url, params: forged })).toBe(signRequest({ authToken, url, params }));
    const { handle, onFax } = setUp();
    expect(plain(await handle(request({ params: forged })))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it("refuses a callback that is re-split into a repeated name with a harmless first value", async () => {
    const harmless = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, From: "+1", To: "+2" };
    const params = { ...harmless, MediaUrl: "https://x.example/Mz.pdf", Status: "received" };
    const signature = signRequest({ authToken, url, params });
    const forged = new URLSearchParams(harmless);
    forged.append("M", "z.pdfStatusreceived");
    forged.append("M", "ediaUrlhttps://x.example/");
    expect(verifyRequest({ authToken, signature, url, params: forged })).toBe(true);
    const { handle, onFax } = setUp();
    const sent = request({ body: forged.toString(), headers: { "x-twilio-signature": signature } });
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });
});

describe("handle: a captured GET replayed as a POST", () => {
  const query = "FaxSid=FX1&AccountSid=AC1&To=%2B2&ApiVersion=v1&From=";
  // The caller chooses this text, for example as the display name of a SIP call.
  const caller = "AccountSidAC1ApiVersionv1FaxSidFXevilFromaTob";
  const body = "AccountSid=AC1&ApiVersion=v1&FaxSid=FXevil&From=a&To=b";

  it.each([
    ["the names in its URL", `/fax?${query}`, body],
    ["the names in its body", "/fax", `=${encodeURIComponent(`?${query}`)}&${body}`],
    ["the names in both", "/fax?FaxSid=FX1", `=${encodeURIComponent(query.slice("FaxSid=FX1".length))}&${body}`],
    ["another encoding of the names in its URL", `/fax?${query.replace("%2B", "%2b")}`, body],
  ])("does not accept a captured GET as a POST with %s", async (_, target, form) => {
    const captured = signRequest({ authToken, url: `${url}?${query}${caller}` });
    const signed = ORIGIN + target.replace("%2b", "%2B");
    expect(signRequest({ authToken, url: signed, params: form })).toBe(captured);
    const headers = { "x-twilio-signature": captured };
    const { handle, onFax, refusals } = setUp();
    expect((await handle({ ...request({ headers, body: form }), url: target })).status).toBe(403);
    expect([onFax.mock.calls, refusals.length]).toEqual([[], 1]);
  });

  it.each(["FaxSid=FX0&AccountSid=AC1", "FaxSid=FX0&ApiVersion=v1", "AccountSid=AC1&ApiVersion=v1"])(
    "accepts a POST whose configured query has only some names of a new fax: %s",
    async (query) => expect((await setUp().handle(request({ path: `/fax?${query}` }))).status).toBe(200),
  );
});

describe("handle: a captured POST replayed as a POST to another URL", () => {
  const callback = { AccountSid: "AC1", ApiVersion: "v1", FaxSid: "FX1", FaxStatus: "received", From: "+1", To: "+2" };

  it.each([
    ["AccountSid in its path", "/fax", "/faxAccountSidAC1", { ...callback, AccountSid: undefined }],
    ["AccountSid in its query", "/fax?tenant=1", "/fax?tenant=1AccountSidAC1", { ...callback, AccountSid: undefined }],
    ["only the name AccountSid", "/fax", "/faxAccountSid", { ...callback, AccountSid: undefined, AC1: "" }],
  ])("refuses a captured callback with %s", async (_, path, target, { AccountSid, ...moved }) => {
    const signature = signRequest({ authToken, url: ORIGIN + path, params: callback });
    expect(signRequest({ authToken, url: ORIGIN + target, params: moved })).toBe(signature);
    const { handle, onCallback } = setUp();
    const headers = { "x-twilio-signature": signature };
    const body = new URLSearchParams(moved).toString();
    expect((await handle({ ...request({ headers, body }), url: target })).status).toBe(403);
    expect((await handle(request({ path, params: callback }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledTimes(1);
  });
});

describe("handle: a captured POST replayed as a GET", () => {
  const callback = { FaxSid: "FX1", FaxStatus: "received", From: "?FaxSid=FXevil&FaxStatus=received&z=" };

  it.each<[string, Record<string, string>]>([
    ["an equals sign before ApiVersion", { ...callback, AccountSid: "AC1", AddOns: "a=b", ApiVersion: "v1" }],
    ["an ampersand before ApiVersion", { ...callback, AccountSid: "AC1", AddOns: "a&b", ApiVersion: "v1" }],
    ["no ApiVersion", { ...callback, AccountSid: "AC1" }],
    ["no AccountSid", callback],
  ])("does not accept a captured callback with %s as the URL of a GET", async (_, params) => {
    const signature = signRequest({ authToken, url, params });
    const target = `/fax${Object.entries(params).sort().flat().join("")}`;
    const { handle, onCallback } = setUp();
    const headers = { "x-twilio-signature": signature };
    expect((await handle({ method: "GET", url: target, headers })).status).toBe(403);
    expect((await handle(request({ params }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledTimes(1);
  });

  it.each([
    "AccountSid=AC2",
    "ParentAccountSid=AC2",
    "key=AccountSid",
    "AccountSid[]=1",
    "AccountSid.a=1",
    "MyFaxSid=",
  ])("accepts a GET with the query %s", async (query) => {
    const { handle } = setUp();
    const target = `/fax?${query}&${new URLSearchParams({ ...INCOMING, AccountSid: "AC1" })}`;
    const headers = { "x-twilio-signature": signRequest({ authToken, url: ORIGIN + target }) };
    expect((await handle({ method: "GET", url: target, headers })).status).not.toBe(403);
  });

  const evil = "?FaxSid=FXevil&AccountSid=AC1&From=a&To=b&ApiVersion=v1&FaxStatus=received&z=";
  const text = "AccountSidAC1ApiVersionv1FaxSidFX1From+15017122661To+15558675310";
  const withEvil = text.replace("+15017122661", evil);

  it.each([
    ["a query in a parameter", `/fax${withEvil}`, evil],
    ["a query in the fragment", `/fax${text}#${evil}`, INCOMING.From],
    ["a query before the fragment", `/fax${text}?#${evil}`, INCOMING.From],
    ["a full URL", `${ORIGIN}/fax${text}#${evil}`, INCOMING.From],
  ])("refuses the text of a captured POST in the URL of a GET with %s", async (_, target, From) => {
    const signature = signRequest({ authToken, url, params: { ...INCOMING, From } });
    for (const publicUrl of [ORIGIN, undefined]) {
      const { handle, onFax, onCallback } = setUp({ publicUrl });
      const headers = { host: "fax.example.com", "x-twilio-signature": signature };
      expect((await handle({ method: "GET", url: target, headers })).status).not.toBe(200);
      expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
    }
  });
});
