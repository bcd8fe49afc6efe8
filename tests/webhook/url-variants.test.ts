/** The URLs that are tried for a signature, and the URLs that a refusal contains. */
import { describe, expect, it, vi } from "vitest";
import { type WebhookRequest, verifyRequest } from "../../src/webhook/index.js";
import { BODY, ORIGIN, TOKEN, post, request, requestWithout, setUp, sign, thrower } from "./support.js";

const BY_HOST = { publicUrl: undefined };

/** The status for a fax that was signed for `signed`, while the server received it at `received`. */
async function getStatus(options: Parameters<typeof setUp>[0], received: string, signed: string, headers = {}) {
  const { handle } = setUp(options);
  return (await handle({ ...request({ url: signed, headers }), url: received })).status;
}

describe("handle: publicUrl", () => {
  it.each<[string, string, string, string]>([
    // publicUrl, the received URL, the signed URL
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
    ["a query in the request", ORIGIN, "/fax?a=b%20c", `${ORIGIN}/fax?a=b+c`],
    [
      "a URL in the query of the request",
      ORIGIN,
      "/fax?to=https://a.example/x",
      `${ORIGIN}/fax?to=https://a.example/x`,
    ],
    ["an absolute URL in the request", `${ORIGIN}/hooks`, "http://10.0.0.5/fax?a=1", `${ORIGIN}/hooks/fax?a=1`],
    ["http", "http://fax.example.com", "/fax", "http://fax.example.com/fax"],
    ["the whole URL", `${ORIGIN}/fax`, "/fax", `${ORIGIN}/fax`],
    ["the whole URL, behind a proxy that removes the path", `${ORIGIN}/fax`, "/", `${ORIGIN}/fax`],
    ["the whole URL, and a query in the request", `${ORIGIN}/hooks/fax`, "/?tag=2", `${ORIGIN}/hooks/fax?tag=2`],
    ["the whole URL with a query", `${ORIGIN}/fax?tag=2`, "/fax?tag=2", `${ORIGIN}/fax?tag=2`],
    ["the whole URL with a slash", `${ORIGIN}/fax/`, "/", `${ORIGIN}/fax/`],
    ["the whole URL with a fragment", `${ORIGIN}/fax#rc=2`, "/", `${ORIGIN}/fax#rc=2`],
    ["the whole URL with credentials", "https://user:secret@fax.example.com/fax", "/", `${ORIGIN}/fax`],
  ])("accepts a publicUrl with %s", async (_, publicUrl, received, signed) => {
    expect(await getStatus({ publicUrl }, received, signed)).toBe(200);
    expect(await getStatus({ publicUrl: () => new URL(publicUrl) }, received, signed)).toBe(200);
  });

  it("accepts a publicUrl that was signed without a path, unless it is a URL object, which adds a slash", async () => {
    expect(await getStatus({ publicUrl: ORIGIN }, "/", ORIGIN)).toBe(200);
    expect(await getStatus({ publicUrl: new URL(ORIGIN) }, "/", ORIGIN)).toBe(403);
    expect(await getStatus({ publicUrl: new URL(ORIGIN) }, "/fax", `${ORIGIN}/fax`)).toBe(200);
  });

  it.each([
    // the query in publicUrl, which was signed; the received query; the status
    ["?b=456&a=123", "?a=123&b=456", 200],
    ["?a=%7e&b=c+d", "?b=c%20d&a=~", 200],
    ["?a=1&b=2&a=3", "?a=1&a=3&b=2", 200],
    ["?tag=2#rc=2", "?tag=%32", 200],
    ["?a=1&b=2&a=3", "?a=3&b=2&a=1", 403],
    ["?tag=2", "?tag=3", 403],
    ["?a=1&b=2", "?b=2", 403],
    ["?a=1&b=2", "?b=2&a=1&c=3", 403],
    ["?a=1&b=2", "", 403],
  ])(
    "tries publicUrl as configured if it has the parameters of the request: %s, %s",
    async (query, received, status) => {
      const publicUrl = `${ORIGIN}/f${query}`;
      expect(await getStatus({ publicUrl }, `/f${received}`, publicUrl)).toBe(status);
      expect(await getStatus({ publicUrl: () => publicUrl }, `/f${received}`, publicUrl)).toBe(status);
    },
  );

  it("tries publicUrl as configured only for a query of at most 2,048 characters", async () => {
    const publicUrl = `${ORIGIN}/f?b=1&a=${"x".repeat(682)}`;
    const received = `/f?a=${"%78".repeat(680)}xx&b=1`;
    expect(received.length).toBe(2 + 2049);
    expect(await getStatus({ publicUrl }, received, publicUrl)).toBe(403);
    expect(await getStatus({ publicUrl }, received.replace("%78%78", "%78x"), publicUrl)).toBe(200);
  });

  it("refuses the URL of the Host header if publicUrl is another one", async () => {
    const signed = "https://other.example.com/fax";
    expect(await getStatus({}, "/fax", signed, { host: "other.example.com" })).toBe(403);
  });

  it("passes the request to a publicUrl function, and rejects with its error", async () => {
    const publicUrl = vi.fn(({ headers }: WebhookRequest) => `https://${headers["x-original-host"]}`);
    const headers = { "X-Original-Host": "fax.example.com" };
    expect(await getStatus({ publicUrl }, "/fax", `${ORIGIN}/fax`, headers)).toBe(200);
    expect(publicUrl.mock.calls).toMatchObject([[{ method: "POST", url: "/fax" }]]);
    const error = new Error("no host");
    await expect(setUp({ publicUrl: thrower(error) }).handle(request())).rejects.toBe(error);
  });
});

describe("handle: without publicUrl", () => {
  it.each([
    ["the Host header with https", "/fax", "https://10.0.0.5:3000/fax"],
    ["the Host header with http", "/fax", "http://10.0.0.5:3000/fax"],
    ["an absolute URL with https", `${ORIGIN}/fax`, `${ORIGIN}/fax`],
    ["an absolute URL with http", "http://fax.example.com/fax", `${ORIGIN}/fax`],
    ["the Host header instead of an absolute URL", "http://localhost:3000/fax", "https://10.0.0.5:3000/fax"],
  ])("accepts %s if publicUrl is not set", async (_, received, signed) => {
    expect(await getStatus(BY_HOST, received, signed)).toBe(200);
  });

  it("accepts :authority of HTTP/2 instead of a Host header", async () => {
    const { headers, ...sent } = requestWithout("host");
    const { handle } = setUp(BY_HOST);
    expect((await handle({ ...sent, headers: { ...headers, ":authority": "fax.example.com" } })).status).toBe(200);
  });

  it.each([
    "fax.example.com/other?x=", // would move the path into the query
    "fax.example.com#",
    "user@fax.example.com",
    "fax.example.com?",
    "fax.example.com\\",
    "fax.example.com fax",
    "fax.example.com, other.example.com",
    "",
    undefined,
  ])("tries no URL for the Host header %j", async (host) => {
    const { handle, refusals } = setUp(BY_HOST);
    for (const url of [`https://${host}/fax`, `http://${host}/fax`, `${ORIGIN}/fax`, `${ORIGIN}/other?x=/fax`]) {
      expect((await handle(request({ url, headers: { host } }))).status).toBe(403);
    }
    expect(refusals.map(({ urls }) => urls)).toEqual([[], [], [], []]);
  });

  it("ignores Forwarded and X-Forwarded-*", async () => {
    const forwarded = {
      "x-forwarded-host": "fax.example.com",
      "x-forwarded-proto": "https",
      "x-forwarded-prefix": "/",
    };
    const headers = { ...forwarded, "x-original-url": "/fax", forwarded: "host=fax.example.com;proto=https" };
    expect(await getStatus(BY_HOST, "/fax", `${ORIGIN}/fax`, headers)).toBe(403);
  });
});

describe("verifyRequest: URL variants", () => {
  const verify = (url: string, signed: string) => verifyRequest({ authToken: TOKEN, url, signature: sign(signed) });

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
  ])("verifyRequest accepts the query %j if %j was signed", (seen, signed) => {
    expect(verify(`https://x.example/fax${seen}`, `https://x.example/fax${signed}`)).toBe(true);
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
    ["https://user:p@x.example/a\nb", "https://x.example/a\nb", true],
    ["https://us@er@x.example/", "https://x.example/", true],
  ])("verifyRequest of the URL %j, signed as %j, returns %s", (url, signed, expected) => {
    expect(verify(url, signed)).toBe(expected);
  });

  it.each([
    ["a query of 2,048 characters", 2048, 100, true],
    ["a query of 2,049 characters", 2049, 100, false],
    ["a signed text of 8,192 characters", 10, 8192, true],
    ["a signed text of 8,193 characters", 10, 8193, false],
  ])("verifyRequest of a re-encoded query returns $3 for %s", (_, queryLength, textLength, expected) => {
    const url = "https://a.example/?q=a+b".padEnd(18 + queryLength, "x");
    const params = { A: "x".repeat(textLength - 1) };
    const verify = (signed: string) =>
      verifyRequest({ authToken: TOKEN, url, params, signature: sign(`${signed}A${params.A}`) });
    expect([verify(url), verify(url.replace("+", "%20"))]).toEqual([true, expected]);
  });
});

describe("handle: the URLs in a refusal", () => {
  /** The URLs for an unsigned request. */
  async function listUrls(publicUrl: string | undefined, url: string, headers = {}) {
    const { handle, refusals } = setUp({ publicUrl });
    await handle({ ...post(BODY, { host: "10.0.0.5:3000", "x-twilio-signature": sign("x"), ...headers }), url });
    expect(JSON.stringify(refusals)).not.toMatch(/s3cret/);
    return refusals[0]!.urls!;
  }

  it("passes every tried URL once to onRefused, without passwords", async () => {
    const urls = await listUrls("https://user:s3cret@fax.example.com/hooks#rc=2", "/fax?q=it's%20it");
    expect(urls[0]).toBe("https://***@fax.example.com/hooks/fax?q=it's%20it#rc=2");
    expect(urls).toContain("https://fax.example.com/hooks/fax?q=it's%20it");
    expect([urls.length, new Set(urls).size]).toEqual([8, 8]);
    const hosts = ["https://10.0.0.5:3000", "http://10.0.0.5:3000", "https://10.0.0.5", "http://10.0.0.5"];
    expect(await listUrls(undefined, "/fax")).toEqual(hosts.map((host) => `${host}/fax`));
  });

  it.each([
    ["/fax?FaxSid=FX1&From=%2B1501&tag=2&fromage=a", "/fax?FaxSid=***&From=***&tag=2&fromage=a"],
    ["/fax?tag=2&to=%2B1501&RemoteStationId=x@y&ErrorUrl=z", "/fax?tag=2&to=***&RemoteStationId=***&ErrorUrl=***"],
    ["/fax?From=", "/fax?From=***"],
    ["/fax;From=1?AFrom=1&From1=2", "/fax;From=1?AFrom=1&From1=2"],
  ])("masks the values of the provider's parameters in %s", async (url, masked) => {
    expect((await listUrls(ORIGIN, url))[0]).toBe(ORIGIN + masked);
  });

  it("passes at most 8 URLs to onRefused, with at most 200 characters of ASCII", async () => {
    const urls = await listUrls("https://u:p@x.example:1#f", `/fax?${"a='b%20c+%27*~(&".repeat(100)}`);
    expect(urls.map((url) => [url.length, url.slice(-3)])).toEqual(Array(8).fill([200, "..."]));
    const host = "x<script>\u009b\u202e".padEnd(700, "é");
    for (const url of await listUrls(undefined, "/fax", { host }))
      expect(url).toMatch(/^(?!.*[<>])[\x20-\x7e]{1,200}$/);
  });

  it.each([
    ["https://us/er:s3cret@host.example", "/fax"],
    ["https://user:s3cret@host.example/x", "/fax"],
    ["https://host.example", "/fax?next=https%3A%2F%2Fuser%3As3cret%40other.example%2F"],
    ["https://host.example", "/fax?next=https%253A%252F%252Fuser%253As3cret%2540other.example"],
    ["https://host.example", "/user:s3cret@x/fax"],
  ])("passes no password of %s%s to onRefused", async (publicUrl, url) => {
    expect((await listUrls(publicUrl, url))[0]).toContain("***@");
  });
});
