/** Which URLs, tokens and headers of a request are verified. */
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import {
  signRequest,
  verifyRequest,
  type FaxWebhookOptions,
  type HandleRequest,
  type WebhookRequest,
} from "../../src/webhook/index.js";
import {
  BODY,
  INCOMING,
  ORIGIN,
  TEXT,
  TOKEN,
  open,
  plain,
  post,
  refusalOf,
  request,
  requestWithout,
  setUp,
  sign,
  thrower,
} from "./support.js";

describe("handle: the URL that is verified", () => {
  it.each<[string, string, string, string]>([
    // publicUrl, request.url, what the provider signed
    ["an origin", ORIGIN, "/fax", `${ORIGIN}/fax`],
    ["an origin with a slash", `${ORIGIN}/`, "/fax", `${ORIGIN}/fax`],
    ["a prefix", `${ORIGIN}/hooks`, "/fax", `${ORIGIN}/hooks/fax`],
    ["a prefix with slashes", `${ORIGIN}/hooks//`, "/fax", `${ORIGIN}/hooks/fax`],
    ["a port", `${ORIGIN}:8443`, "/fax", `${ORIGIN}:8443/fax`],
    ["a default port that is signed", ORIGIN, "/fax", `${ORIGIN}:443/fax`],
    ["a default port that is not signed", `${ORIGIN}:443`, "/fax", `${ORIGIN}/fax`],
    ["credentials", "https://user:secret@fax.example.com", "/fax", "https://user:secret@fax.example.com/fax"],
    ["credentials that are not signed", "https://user:secret@fax.example.com", "/fax", `${ORIGIN}/fax`],
    ["a fragment", `${ORIGIN}#rc=2&ot=100`, "/fax", `${ORIGIN}/fax#rc=2&ot=100`],
    ["a fragment that is not signed", `${ORIGIN}#rc=2`, "/fax", `${ORIGIN}/fax`],
    ["a prefix and a fragment", `${ORIGIN}/hooks/#rc=2`, "/fax", `${ORIGIN}/hooks/fax#rc=2`],
    ["a query", ORIGIN, "/fax?a=b%20c", `${ORIGIN}/fax?a=b+c`],
    ["an absolute request URL", `${ORIGIN}/hooks`, "http://10.0.0.5/fax?a=1", `${ORIGIN}/hooks/fax?a=1`],
    ["http", "http://fax.example.com", "/fax", "http://fax.example.com/fax"],
  ])("publicUrl with %s", async (_, publicUrl, path, url) => {
    expect((await setUp({ publicUrl }).handle({ ...request({ path, url }), url: path })).status).toBe(200);
    expect((await setUp({ publicUrl: () => publicUrl }).handle({ ...request({ path, url }), url: path })).status).toBe(
      200,
    );
  });

  it("publicUrl as a function gets the request; what it throws is yours", async () => {
    const publicUrl = vi.fn(({ headers }: WebhookRequest) => `https://${headers["x-original-host"]}`);
    const sent = request({ headers: { "X-Original-Host": "fax.example.com" } as never });
    expect((await setUp({ publicUrl }).handle(sent)).status).toBe(200);
    expect(publicUrl.mock.calls).toMatchObject([[{ method: "POST", url: "/fax" }]]);
    const error = new Error("no host");
    await expect(setUp({ publicUrl: thrower(error) }).handle(request())).rejects.toBe(error);
  });

  it("rejects when publicUrl is a function that returns no text", async () => {
    const webhook = open({ authToken: TOKEN, publicUrl: () => undefined as unknown as string });
    await expect(webhook.handle(post(BODY, { "x-twilio-signature": sign("x") }))).rejects.toThrow(
      new TypeError(
        "publicUrl must be the http(s) URL at the provider, or its beginning, such as " +
          '"https://fax.example.com", not undefined.',
      ),
    );
  });

  it("takes a URL object for publicUrl", async () => {
    const webhook = open({ authToken: TOKEN, publicUrl: new URL("https://fax.example") });
    const signature = signRequest({ authToken: TOKEN, url: "https://fax.example/fax", params: BODY });
    expect((await webhook.handle(post(BODY, { "x-twilio-signature": signature }))).status).toBe(200);
  });

  it.each(["https", "http"])("without publicUrl, the Host header with %s", async (scheme) => {
    const sent = request({ url: `${scheme}://10.0.0.5:3000/fax` });
    expect((await setUp({ publicUrl: undefined }).handle(sent)).status).toBe(200);
  });

  it("without publicUrl, the host of an absolute URL rather than the header, and :authority of HTTP/2", async () => {
    const { handle } = setUp({ publicUrl: undefined });
    expect((await handle({ ...request(), url: `${ORIGIN}/fax` })).status).toBe(200);
    expect((await handle({ ...request(), url: "http://fax.example.com/fax" })).status).toBe(200);
    const { headers } = requestWithout("host");
    expect((await handle({ ...request(), headers: { ...headers, ":authority": "fax.example.com" } })).status).toBe(200);
  });

  it("with publicUrl, the Host header changes nothing", async () => {
    const sent = request({ url: "https://other.example.com/fax", headers: { host: "other.example.com" } });
    expect(await refusalOf(setUp(), sent)).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it.each([
    "fax.example.com/other?x=", // would move the path into the query
    "fax.example.com/fax#",
    "user@fax.example.com",
    "fax.example.com?",
    "fax.example.com\\",
    "fax.example.com fax",
    "fax.example.com, other.example.com",
    "",
  ])("a Host header that is no host is tried with no URL: %j", async (host) => {
    const webhook = setUp({ publicUrl: undefined });
    for (const url of [`https://${host}/fax`, `http://${host}/fax`, `${ORIGIN}/fax`, `${ORIGIN}/other?x=/fax`]) {
      expect(await refusalOf(webhook, request({ url, headers: { host } }))).toEqual([
        403,
        "forbidden",
        "signature-mismatch",
      ]);
    }
    expect(webhook.refusals.map(({ urls }) => urls)).toEqual([[], [], [], []]);
  });

  it("a missing Host header is a mismatch that tried no URL", async () => {
    const { handle, refusals } = setUp({ publicUrl: undefined });
    expect((await handle(requestWithout("host"))).status).toBe(403);
    expect(refusals[0]?.urls).toEqual([]);
  });

  it("X-Forwarded-* and Forwarded are not believed", async () => {
    const headers = {
      "x-forwarded-host": "fax.example.com",
      "x-forwarded-proto": "https",
      "x-forwarded-prefix": "/",
      "x-original-url": "/fax",
      forwarded: "host=fax.example.com;proto=https",
    };
    expect(await refusalOf(setUp({ publicUrl: undefined }), request({ headers }))).toEqual([
      403,
      "forbidden",
      "signature-mismatch",
    ]);
  });

  it("takes no URL in a query for the request's own", async () => {
    const url = "/fax?next=https://evil.example/x";
    const signature = signRequest({ authToken: TOKEN, url: `https://fax.example${url}`, params: BODY });
    const reply = await open({ authToken: TOKEN }).handle({
      ...post(BODY, { host: "fax.example", "x-twilio-signature": signature }),
      url,
    });
    expect(reply.status).toBe(200);
  });

  const signedPost = "FaxSid=FX1&AccountSid=AC1&From=%2B1&To=%2B2&ApiVersion=v1";

  it("reads no parameters from behind a fragment, which nobody signed", async () => {
    const onFax = vi.fn(() => reject());
    const webhook = open({ authToken: TOKEN, publicUrl: "https://fax.example", onFax, onCallback: onFax as never });
    const text = "AccountSidAC1ApiVersionv1FaxSidFX1From+1To+2";
    const signature = signRequest({ authToken: TOKEN, url: "https://fax.example/fax", params: signedPost });
    const evil = "#?FaxSid=EVIL&AccountSid=AC1&From=evil&To=x&ApiVersion=v1&FaxStatus=received";
    for (const url of [`/fax${text}${evil}`, `/fax${text}?${evil}`, `https://fax.example/fax${text}${evil}`]) {
      const reply = await webhook.handle({ method: "GET", url, headers: { "x-twilio-signature": signature } });
      expect(reply.status, url).not.toBe(200);
    }
    expect(onFax).not.toHaveBeenCalled();
  });
});

describe("handle: publicUrl is the URL at the provider, or its beginning", () => {
  it.each([
    // publicUrl, what the server sees, what the provider signed
    [`${ORIGIN}/fax`, "/fax", `${ORIGIN}/fax`],
    [`${ORIGIN}/fax`, "/", `${ORIGIN}/fax`],
    [`${ORIGIN}/hooks/fax`, "/?line=2", `${ORIGIN}/hooks/fax?line=2`],
    [`${ORIGIN}/hooks/fax?line=2`, "/hooks/fax?line=2", `${ORIGIN}/hooks/fax?line=2`],
    [`${ORIGIN}/fax/`, "/", `${ORIGIN}/fax/`],
    [ORIGIN, "/", ORIGIN],
    [`${ORIGIN}/fax#rc=2`, "/", `${ORIGIN}/fax#rc=2`],
    ["https://user:secret@fax.example.com/fax", "/", `${ORIGIN}/fax`],
  ])("%s, where %s is seen and %s was signed", async (publicUrl, path, url) => {
    expect((await setUp({ publicUrl }).handle({ ...request({ url }), url: path })).status).toBe(200);
    expect(
      (await setUp({ publicUrl: () => new URL(publicUrl) }).handle({ ...request({ url }), url: path })).status,
    ).toBe(
      publicUrl === ORIGIN ? 403 : 200, // a URL object writes the slash that was not signed
    );
  });

  it("is not a licence for another query", async () => {
    const sent = { ...request({ url: `${ORIGIN}/fax?line=2` }), url: "/?line=3" };
    expect((await setUp({ publicUrl: `${ORIGIN}/fax?line=2` }).handle(sent)).status).toBe(403);
  });

  it("reads 15,500 slashes once", async () => {
    const publicUrl = ({ headers }: WebhookRequest) => `https://fax.example.com/${headers["x-path"]}x`;
    const sent = request({ url: `${ORIGIN}/fax`, headers: { "x-path": "/".repeat(15_500) } });
    expect((await setUp({ publicUrl }).handle(sent)).status).toBe(403);
  });
});

describe("handle: signatures and tokens", () => {
  it.each(["x-twilio-signature", "x-signalwire-signature", "X-Twilio-Signature", "X-SIGNALWIRE-SIGNATURE"])(
    "reads %s",
    async (header) => {
      expect((await setUp().handle(request({ header }))).status).toBe(200);
    },
  );

  it("takes either header when the other is wrong", async () => {
    const wrong = { "x-signalwire-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
    expect((await setUp().handle(request({ headers: wrong }))).status).toBe(200);
  });

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

  it("verifies nothing with authToken: false, and checks all the rest", async () => {
    const { handle } = setUp({ authToken: false });
    expect((await handle(requestWithout("x-twilio-signature"))).status).toBe(200);
    expect((await handle(request({ token: "guessed" }))).status).toBe(200);
    expect(plain(await handle(request({ params: { FaxSid: "FX1" } })))).toEqual([400, "invalid-parameters"]);
    expect(plain(await handle({ ...request(), method: "PUT" }))).toEqual([405, "method-not-allowed"]);
  });
});

describe("handle: what a captured request cannot become", () => {
  const FaxSid = "FX0123456789abcdef0123456789abcdef";
  const captured = {
    ...{ AccountSid: "AC1", ApiVersion: "v1", FaxSid, FaxStatus: "received", From: "+1", MediaSid: "MD1" },
    ...{ MediaUrl: "https://x.example/1.pdf", NumPages: "2", RemoteStationId: "+1", To: "+2" },
  };
  const { FaxStatus: _, ...rest } = captured;
  const middle = "MediaSidMD1MediaUrlhttps://x.example/1.pdfNumPages2RemoteStationId+1";
  const five = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, To: "+2" };

  it.each<[string, Record<string, string>, Record<string, string>]>([
    [
      "into a longer SID",
      { AccountSid: "AC1", ApiVersion: "v1", FaxSid, FaxStatus: "received", From: "+1", To: "+2" },
      { AccountSid: "AC1", ApiVersion: "v1", FaxSid: `${FaxSid}FaxStatusreceived`, From: "+1", To: "+2" },
    ],
    ["into a new name", captured, { ...five, FaxStatusreceived: "", From: `+1${middle}` }],
    ["into the caller", { ...rest, Status: "received" }, { ...five, From: `+1${middle}Statusreceived` }],
    [
      "into names of its own",
      { ...rest, Status: "received" },
      { ...five, From: "+1Media", [middle.slice(5)]: "Statusreceived" },
    ],
  ])("cuts no captured callback anew %s", async (_, params, recut) => {
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    expect(signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: recut })).toBe(signature);
    const { handle, onFax } = setUp();
    expect(plain(await handle(request({ params: recut })))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it("cuts no captured callback anew into a name that is repeated, whose first value looks harmless", async () => {
    const MediaUrl = "https://x.example/Mz.pdf";
    const params = { AccountSid: "AC1", ApiVersion: "v1", FaxSid, From: "+1", MediaUrl, Status: "received", To: "+2" };
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    const { MediaUrl: _url, Status: _status, ...harmless } = params;
    const recut = new URLSearchParams(harmless);
    recut.append("M", "z.pdfStatusreceived");
    recut.append("M", "ediaUrlhttps://x.example/");
    expect(verifyRequest({ authToken: TOKEN, signature, url: `${ORIGIN}/fax`, params: recut })).toBe(true);
    const { handle, onFax } = setUp();
    const sent = request({ body: recut.toString(), headers: { "x-twilio-signature": signature } });
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it("moves no form of a captured POST into the URL of a GET", async () => {
    const evil = `?FaxSid=FXevil&AccountSid=AC1&From=a&To=b&ApiVersion=v1&FaxStatus=received&z=`;
    const params = { ...INCOMING, From: evil };
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params });
    const text = Object.keys(params)
      .sort()
      .reduce((all, name) => all + name + params[name as "From"], "");
    for (const publicUrl of [ORIGIN, undefined]) {
      const { handle, onFax, onCallback } = setUp({ publicUrl });
      const headers = { host: "fax.example.com", "x-twilio-signature": signature };
      expect(plain(await handle({ method: "GET", url: `/fax${text}`, headers }))).toEqual([403, "forbidden"]);
      expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
    }
  });
});

describe("handle: the cure of a mismatch", () => {
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
