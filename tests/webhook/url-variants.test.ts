/** Which URLs are tried for a signature, and which of them a refusal shows. */
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import { type WebhookRequest, signRequest, verifyRequest } from "../../src/webhook/index.js";
import {
  BODY,
  INCOMING,
  ORIGIN,
  TOKEN,
  open,
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

describe("verifyRequest: the URL variants", () => {
  it.each([
    ["?a=it's", "?a=it%27s"],
    ["?a=it%27s", "?a=it's"],
    ["?a=b+c", "?a=b%20c"],
    ["?a=b%20c", "?a=b+c"],
    ["?a=b%20it's", "?a=b+it%27s"],
    ["?a=%2f", "?a=%2F"],
    ["?a=x:y", "?a=x%3Ay"],
    ["?a=x%3Ay&b=(1)", "?a=x%3Ay&b=%281%29"],
    ["?a", "?a="],
    ["?q=%C3%BC", "?q=%C3%BC"],
    ["?a=b+c&d=e", "?a=b%20c&d=e"],
    ["?a=~%20b", "?a=~+b"],
    ["?a=it's:~", "?a=it%27s:~"],
    ["?a=it%27s:~", "?a=it's:~"],
    ["?a=it's~b+c", "?a=it%27s~b%20c"],
    ["", ""],
  ])("accepts the query %j when %j was signed", (seen, signed) => {
    const signature = sign(`https://x.example/fax${signed}`);
    expect(verifyRequest({ authToken: TOKEN, url: `https://x.example/fax${seen}`, signature })).toBe(true);
  });

  it.each([
    ["http://x.example:80/fax", "http://x.example/fax", true],
    ["https://x.example:443/fax", "https://x.example/fax", true],
    ["http://x.example/fax", "http://x.example:80/fax", true],
    ["http://x.example:1234/fax", "http://x.example/fax", true],
    ["https://x.example:1234/fax", "https://x.example/fax", true],
    ["http://x.example:8080/fax?a=b+c", "http://x.example:8080/fax?a=b%20c", true],
    ["http://x.example/fax", "http://x.example:1234/fax", false],
    ["http://x.example:1234/fax", "http://x.example:4321/fax", false],
    ["http://x.example:1234/fax", "http://x.example/other", false],
  ])("knows ports: %s when %s was signed: %s", (url, signed, expected) => {
    expect(verifyRequest({ authToken: TOKEN, url, signature: sign(signed) })).toBe(expected);
  });

  it("knows a URL with a line end in it, as it knows others", () => {
    const url = "https://user:p@x.example/a\nb";
    expect(verifyRequest({ authToken: TOKEN, url, signature: sign("https://x.example/a\nb") })).toBe(true);
    const other = "https://us@er@x.example/";
    expect(verifyRequest({ authToken: TOKEN, url: other, signature: sign("https://x.example/") })).toBe(true);
  });

  it("a signature over long parameters fits no other spelling of the query", () => {
    const long = { ...INCOMING, Long: "x".repeat(9000) };
    const text = Object.entries(long).sort().flat().join("");
    const signed = sign("https://a.example/?q=a%20b" + text);
    const check = (url: string) => verifyRequest({ authToken: TOKEN, url, params: long, signature: signed });
    expect([check("https://a.example/?q=a%20b"), check("https://a.example/?q=a+b")]).toEqual([true, false]);
    const short = sign("https://a.example/?q=a%20b" + Object.entries(INCOMING).sort().flat().join(""));
    expect(
      verifyRequest({ authToken: TOKEN, url: "https://a.example/?q=a+b", params: INCOMING, signature: short }),
    ).toBe(true);
  });

  it("a query of more than 2,048 characters counts as it was sent", () => {
    for (const [length, expected] of [
      [2040, true],
      [2060, false],
    ] as const) {
      const query = "?q=a%20b&long=" + "x".repeat(length - 14);
      const signed = sign("https://a.example/" + query);
      expect(verifyRequest({ authToken: TOKEN, url: "https://a.example/" + query, signature: signed })).toBe(true);
      const other = "https://a.example/" + query.replace("%20", "+");
      expect(verifyRequest({ authToken: TOKEN, url: other, signature: signed })).toBe(expected);
    }
  });
});

describe("handle: the URLs that onRefused gets", () => {
  it("lists every URL that was tried, once each, without passwords", async () => {
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

  it("lists no more than eight URLs of two hundred characters", async () => {
    const onRefused = vi.fn();
    const url = `/fax?${"a='b%20c+%27*~(&".repeat(100)}`;
    await open({ authToken: TOKEN, onRefused }).handle({
      ...post(BODY, { host: "user.example:443", "x-twilio-signature": sign("x") }),
      url,
    });
    const { urls } = onRefused.mock.calls[0]![0] as { urls: string[] };
    expect(urls.length).toBeLessThanOrEqual(8);
    expect(urls.every((each) => each.length === 200 && each.endsWith("..."))).toBe(true);
    await open({ authToken: TOKEN, onRefused, publicUrl: "https://u:p@x.example:1#f" }).handle({
      ...post(BODY, { "x-twilio-signature": sign("x") }),
      url: "/fax?a='b%20c+%27*~(",
    });
    expect((onRefused.mock.calls[1]![0] as { urls: string[] }).urls).toHaveLength(8);
  });

  it.each([
    ["https://us/er:s3cret@host.example", "/fax"],
    ["https://user:s3cret@host.example/x", "/fax"],
    ["https://host.example", "/fax?next=https%3A%2F%2Fuser%3As3cret%40other.example%2F"],
    ["https://host.example", "/fax?next=https%253A%252F%252Fuser%253As3cret%2540other.example"],
    ["https://host.example", "/user:s3cret@x/fax"],
  ])("shows no password of %s%s", async (publicUrl, path) => {
    const { handle, refusals } = setUp({ publicUrl });
    await handle(request({ path, token: "guessed" }));
    expect(refusals[0]?.urls?.[0]).toContain("***@");
    expect(JSON.stringify(refusals)).not.toContain("s3cret");
  });

  it("shows no password that has a ? in it, which makes no URL", async () => {
    const { handle, refusals } = setUp({ publicUrl: () => "https://user:s3?cret@host.example" });
    await handle(request());
    expect(refusals).toMatchObject([{ reason: "signature-mismatch", urls: [] }]);
    expect(() => setUp({ publicUrl: "https://user:s3?cret@host.example" })).toThrow(
      /^publicUrl must be(?!.*(s3|cret))/,
    );
  });

  it("shows little, and in ASCII, whatever a Host header holds", async () => {
    const { handle, refusals } = setUp({ publicUrl: undefined });
    const host = "x<script>\u009b\u202e".padEnd(700, "é");
    await handle(request({ headers: { host }, token: "guessed" }));
    expect(JSON.stringify(refusals[0]).length).toBeLessThan(2500);
    for (const url of refusals[0]?.urls ?? []) expect(url).toMatch(/^(?!.*[<>])[\x20-\x7e]{1,200}$/);
  });
});
