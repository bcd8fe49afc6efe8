/** Which URLs, tokens and headers of a request are verified. */
import { describe, expect, it, vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import {
  faxWebhook,
  type FaxWebhookOptions,
  signRequest,
  type WebhookRequest,
  type HandleRequest,
} from "../../src/webhook/index.js";
import { BODY, CALLBACK, INCOMING, ORIGIN, TOKEN, open, plain, post, request, setUp } from "./support.js";

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
    await expect(
      setUp({
        publicUrl: () => {
          throw error;
        },
      }).handle(request()),
    ).rejects.toBe(error);
  });

  it.each(["https", "http"])("without publicUrl, the Host header with %s", async (scheme) => {
    const sent = request({ url: `${scheme}://10.0.0.5:3000/fax` });
    expect((await setUp({ publicUrl: undefined }).handle(sent)).status).toBe(200);
  });

  it("without publicUrl, the host of an absolute URL rather than the header, and :authority of HTTP/2", async () => {
    const { handle } = setUp({ publicUrl: undefined });
    expect((await handle({ ...request(), url: `${ORIGIN}/fax` })).status).toBe(200);
    expect((await handle({ ...request(), url: "http://fax.example.com/fax" })).status).toBe(200);
    const { host: _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers: { ...headers, ":authority": "fax.example.com" } })).status).toBe(200);
  });

  it("with publicUrl, the Host header changes nothing", async () => {
    const sent = request({ url: "https://other.example.com/fax", headers: { host: "other.example.com" } });
    expect(plain(await setUp().handle(sent))).toEqual([403, "forbidden"]);
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
    const { handle, refusals } = setUp({ publicUrl: undefined });
    for (const url of [`https://${host}/fax`, `http://${host}/fax`, `${ORIGIN}/fax`, `${ORIGIN}/other?x=/fax`]) {
      expect(plain(await handle(request({ url, headers: { host } })))).toEqual([403, "forbidden"]);
    }
    expect(refusals[0]?.urls).toEqual([]);
  });

  it("a missing Host header is a mismatch that tried no URL", async () => {
    const { handle, refusals } = setUp({ publicUrl: undefined });
    const { host: _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers })).status).toBe(403);
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
    expect(plain(await setUp({ publicUrl: undefined }).handle(request({ headers })))).toEqual([403, "forbidden"]);
  });

  it("onRefused is told every URL that was tried, once each, without passwords", async () => {
    const { handle, refusals } = setUp({ publicUrl: "https://user:hunter2@fax.example.com/hooks#rc=2" });
    await handle(request({ path: "/fax?q=it's%20it", token: "guessed" }));
    const urls = refusals[0]?.urls ?? [];
    expect(urls[0]).toBe("https://***@fax.example.com/hooks/fax?q=it's%20it#rc=2");
    expect(urls).toContain("https://fax.example.com/hooks/fax?q=it's%20it");
    expect(urls.length).toBe(8);
    expect(new Set(urls).size).toBe(urls.length);
    expect(JSON.stringify(refusals)).not.toContain("hunter2");
    const plainHost = setUp({ publicUrl: undefined });
    await plainHost.handle(request({ token: "guessed" }));
    expect(plainHost.refusals[0]?.urls).toEqual([
      "https://10.0.0.5:3000/fax",
      "http://10.0.0.5:3000/fax",
      "https://10.0.0.5/fax",
      "http://10.0.0.5/fax",
    ]);
  });
});

describe("handle: tokens", () => {
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
    const { handle } = setUp({ authToken });
    for (const method of ["POST", "GET"]) expect((await handle(request({ method }))).status).toBe(200);
    expect(plain(await handle(request({ token: "guessed" })))).toEqual([403, "forbidden"]);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["empty text", ""],
    ["an empty list", []],
    ["a promise of undefined", Promise.resolve(undefined)],
  ])("refuses with no-token when the function returns %s", async (_, found) => {
    const { handle, onFax } = setUp({ authToken: () => found as never });
    expect(plain(await handle(request()))).toEqual([403, "forbidden"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each<[string, unknown]>([
    ["a list with an empty token", [TOKEN, ""]],
    ["white space", " "],
    ["true", true],
    ["false", false],
    ["a number", 12345],
    ["an object", {}],
  ])("lets nothing in when the function returns %s", async (_, found) => {
    const { handle, onFax } = setUp({ authToken: (() => found) as never });
    const outcome = await handle(request({ token: TOKEN })).then(
      (reply) => reply.status,
      (error: unknown) => error,
    );
    if (typeof outcome === "number") expect(outcome).toBe(403);
    else expect(outcome).toBeInstanceOf(TypeError);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each(["../../etc", "", "x".repeat(41), "AC1\n"])("does not ask the function for %j", async (AccountSid) => {
    const authToken = vi.fn(() => TOKEN);
    expect(plain(await setUp({ authToken }).handle(request({ params: { ...INCOMING, AccountSid } })))).toEqual([
      403,
      "forbidden",
    ]);
    expect(authToken).not.toHaveBeenCalled();
  });

  it("asks with the first of two AccountSids, which then cost the request", async () => {
    const authToken = vi.fn(() => TOKEN);
    const body = `${new URLSearchParams(INCOMING)}&AccountSid=AC2`;
    const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: body });
    const reply = await setUp({ authToken }).handle(request({ body, headers: { "x-twilio-signature": signature } }));
    expect(plain(reply)).toEqual([400, "invalid-parameters"]);
    expect(authToken.mock.calls).toEqual([["AC1"]]);
  });

  it("rejects with what the function throws", async () => {
    const error = new Error("no vault");
    await expect(setUp({ authToken: () => Promise.reject(error) }).handle(request())).rejects.toBe(error);
    await expect(
      setUp({
        authToken: () => {
          throw error;
        },
      }).handle(request()),
    ).rejects.toBe(error);
  });

  it("verifies nothing with authToken: false, and checks all the rest", async () => {
    const { handle } = setUp({ authToken: false });
    const { "x-twilio-signature": _, ...headers } = request().headers as Record<string, string>;
    expect((await handle({ ...request(), headers })).status).toBe(200);
    expect((await handle(request({ token: "guessed" }))).status).toBe(200);
    expect(plain(await handle(request({ params: { FaxSid: "FX1" } })))).toEqual([400, "invalid-parameters"]);
    expect(plain(await handle({ ...request(), method: "PUT" }))).toEqual([405, "method-not-allowed"]);
  });

  it("never lets an inherited authToken: false through prototype pollution of the options", () => {
    expect(() => faxWebhook({ onFax: () => receive() } as never)).toThrow(TypeError);
  });

  it("calls nothing before the signature is verified", async () => {
    const order: string[] = [];
    const { handle } = setUp({
      authToken: async () => (order.push("token"), TOKEN),
      publicUrl: () => (order.push("url"), ORIGIN),
      onFax: () => (order.push("fax"), receive()),
      onCallback: () => void order.push("callback"),
      onRefused: () => void order.push("refused"),
    });
    await handle(request());
    await handle(request({ params: CALLBACK }));
    await handle(request({ token: "guessed" }));
    await handle(request({ token: "guessed", params: CALLBACK }));
    const verified = ["token", "url"];
    expect(order).toEqual([
      ...verified,
      "fax",
      ...verified,
      "callback",
      ...verified,
      "refused",
      ...verified,
      "refused",
    ]);
  });
});

describe("handle: a URL inside the query", () => {
  it("takes no URL in a query for the request's own", async () => {
    const url = "/fax?next=https://evil.example/x";
    const signature = signRequest({ authToken: "t", url: `https://fax.example${url}`, params: BODY });
    const reply = await open({ authToken: "t" }).handle({
      ...post(BODY, { host: "fax.example", "x-twilio-signature": signature }),
      url,
    });
    expect(reply.status).toBe(200);
  });
});

describe("handle: what stands behind a fragment", () => {
  const signedPost = "FaxSid=FX1&AccountSid=AC1&From=%2B1&To=%2B2&ApiVersion=v1";

  it("reads no parameters from behind a fragment, which nobody signed", async () => {
    const onFax = vi.fn(() => reject());
    const webhook = open({ authToken: "t", publicUrl: "https://fax.example", onFax, onCallback: onFax as never });
    const text = "AccountSidAC1ApiVersionv1FaxSidFX1From+1To+2";
    const signature = signRequest({ authToken: "t", url: "https://fax.example/fax", params: signedPost });
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

describe("handle: what a stranger cannot do", () => {
  it.each<[string, unknown]>([
    ["a record's own constructor", Object],
    ["empty text", ""],
    ["white space", " "],
    ["a list with an empty token", [TOKEN, ""]],
    ["a number", 12345],
    ["true", true],
    ["false", false],
    ["an object", {}],
  ])("refuses with no-token when authToken gives %s", async (_, found) => {
    const { handle, refusals } = setUp({ authToken: (() => found) as never });
    expect(plain(await handle(request({ params: { ...INCOMING, AccountSid: "constructor" } })))).toEqual([
      403,
      "forbidden",
    ]);
    expect(refusals[0]?.reason).toBe("no-token");
  });

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

  it("changes nothing by polluting the prototype of answers", async () => {
    const names = { storeMedia: false, headers: { "x-evil": "1" }, "cache-control": "public" };
    Object.assign(Object.prototype, names);
    try {
      const { handle } = setUp({ onFax: () => ({ twiml: receive({ action: "/fax" }) }) });
      const reply = await handle(request());
      expect([reply.status, Object.keys(reply.headers)]).toEqual([200, ["content-type", "cache-control"]]);
    } finally {
      for (const name of Object.keys(names)) delete (Object.prototype as Record<string, unknown>)[name];
    }
  });

  it("gets 413 for more than 1,000 parameters, however they are named", async () => {
    for (const name of ["a", ""]) {
      const more = (count: number) =>
        Object.fromEntries(Array.from({ length: count }, (_, i) => [name ? `a${i}` : `${i}`, ""]));
      expect((await setUp().handle(request({ params: { ...INCOMING, ...more(995) } }))).status).toBe(200);
      expect((await setUp().handle(request({ params: { ...INCOMING, ...more(996) } }))).status).toBe(413);
    }
    expect((await open().handle(post("a=1&".repeat(1001)))).status).toBe(413);
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
});
