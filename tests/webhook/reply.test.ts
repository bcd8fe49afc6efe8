/** What a request is answered with: headers, ETags, HEAD. */
import { describe, expect, it } from "vitest";
import { receive, reject, TWIML_CONTENT_TYPE } from "../../src/index.js";
import { BODY, CALLBACK, INCOMING, open, plain, post, request, setUp, XML } from "./support.js";

describe("handle: GET and HEAD", () => {
  it("answers GET with an ETag of the document, and verifies the query", async () => {
    const { handle } = setUp();
    const reply = await handle(request({ method: "GET" }));
    expect(reply).toMatchObject({ status: 200, body: `${XML}<Response><Receive action="/fax"/></Response>` });
    expect(reply.headers).toEqual({
      "content-type": TWIML_CONTENT_TYPE,
      "cache-control": "private, no-cache",
      etag: expect.stringMatching(/^"[\w-]{43}"$/),
    });
    const other = await setUp({ onFax: () => reject() }).handle(request({ method: "GET" }));
    expect(other.headers["etag"]).not.toBe(reply.headers["etag"]);
    const changed = request({ method: "GET" });
    expect(plain(await handle({ ...changed, url: changed.url.replace("FX1", "FX2") }))).toEqual([403, "forbidden"]);
  });

  it.each<[string, (etag: string) => string, number]>([
    ["the tag", (etag) => etag, 304],
    ["the weak tag", (etag) => `W/${etag}`, 304],
    ["a list", (etag) => `"a", W/"b" ,${etag}`, 304],
    ["*", () => "*", 304],
    ["another tag", () => '"a"', 200],
    ["the tag without quotes", (etag) => etag.slice(1, -1), 200],
    ["nothing", () => "", 200],
  ])("compares If-None-Match with %s", async (_, header, status) => {
    const { handle } = setUp();
    for (const method of ["GET", "HEAD"]) {
      const etag = String((await handle(request({ method }))).headers["etag"]);
      const reply = await handle(request({ method, headers: { "If-None-Match": header(etag) } as never }));
      expect(reply.status).toBe(status);
      expect(reply.headers["etag"]).toBe(etag);
      if (status === 304) expect(reply.body).toBe("");
    }
  });

  it("keeps the headers of the answer on 304, and its own etag", async () => {
    const { handle } = setUp({
      onFax: () => ({
        twiml: reject(),
        headers: { "set-cookie": "a=1", ETag: '"mine"', "Cache-Control": "private, max-age=60" },
      }),
    });
    const { etag } = (await handle(request({ method: "GET" }))).headers;
    const reply = await handle(request({ method: "GET", headers: { "if-none-match": String(etag) } }));
    expect(etag).not.toBe('"mine"');
    expect(reply).toMatchObject({
      status: 304,
      headers: { "set-cookie": "a=1", "cache-control": "private, max-age=60", etag },
    });
  });

  it("answers HEAD as GET without the body", async () => {
    const { handle } = setUp();
    const get = await handle(request({ method: "GET" }));
    const head = await handle(request({ method: "HEAD" }));
    expect(head).toEqual({
      status: 200,
      headers: { ...get.headers, "content-length": String(get.body.length) },
      body: "",
    });
    expect(await handle(request({ method: "HEAD", token: "guessed" }))).toMatchObject({ status: 403, body: "" });
  });

  it("ignores If-None-Match on a POST", async () => {
    expect((await setUp().handle(request({ headers: { "if-none-match": "*" } }))).status).toBe(200);
  });

  it("takes a callback by GET", async () => {
    const { handle, onCallback } = setUp();
    expect((await handle(request({ method: "GET", params: CALLBACK }))).status).toBe(200);
    expect(onCallback).toHaveBeenCalledOnce();
  });

  it("decides on the body of a POST, not on its query", async () => {
    const { handle, onFax, onCallback } = setUp();
    const path = "/fax?FaxStatus=received&From=evil";
    expect((await handle(request({ path }))).status).toBe(200);
    expect(onCallback).not.toHaveBeenCalled();
    expect(onFax.mock.calls[0]?.[0]?.from).toBe(INCOMING.From);
  });

  it("takes the method in any case", async () => {
    const { handle, onFax } = setUp();
    expect((await handle({ ...request(), method: "post" })).status).toBe(200);
    expect(onFax.mock.calls[0]?.[1]?.method).toBe("POST");
  });
});

describe("handle: If-None-Match", () => {
  it("knows its ETag in every form of If-None-Match, and no other", async () => {
    const webhook = open({ onFax: () => receive() });
    const get = (tag?: string) =>
      webhook.handle({
        method: "GET",
        url: `/fax?${BODY}`,
        headers: tag === undefined ? {} : { "if-none-match": tag },
      });
    const etag = (await get()).headers["etag"] as string;
    for (const tag of [etag, `W/${etag}`, `"a" , ${etag}`, `"a",W/${etag} `, "*", " * "])
      expect((await get(tag)).status, tag).toBe(304);
    for (const tag of ["", '""', `"x${etag}`, etag.slice(1, -1), `a W/${etag}`, "**"])
      expect((await get(tag)).status, tag).toBe(200);
  });
});

describe("handle: headers that cannot be sent", () => {
  it.each<[string, Record<string, unknown>]>([
    ["a line end", { "x-a": "b\nc" }],
    ["a length of its own", { "Content-Length": "3" }],
    ["a transfer coding", { "transfer-encoding": "chunked" }],
  ])("rejects when onFax answers with a header of %s", async (_, headers) => {
    const webhook = open({ onFax: () => ({ twiml: reject(), headers: headers as Record<string, string> }) });
    await expect(webhook.handle(post(BODY))).rejects.toThrow(TypeError);
    if (!("x-a" in headers))
      await expect(webhook.handle(post(BODY))).rejects.toThrow(
        /^(content-length|transfer-encoding) is set by the server, not by the answer\.$/,
      );
  });
});

describe("handle: answers that say what is wrong with them", () => {
  it.each(["t=1\r\n", "\r\nx: y", "a\0b", "\u0100", "\x7f"])(
    "refuses the header value %j, and does not show it",
    async (value) => {
      const answer = () => ({ twiml: reject(), headers: { "set-cookie": `secret${value}` } });
      const error = await setUp({ onFax: answer })
        .handle(request())
        .catch((thrown: unknown) => thrown as Error);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).toMatch(/^The header "set-cookie" holds/);
      expect((error as Error).message).not.toContain("secret");
    },
  );

  it.each<[string, unknown, RegExp]>([
    [
      "a Headers object",
      { twiml: reject(), headers: new Headers({ a: "1" }) },
      /^headers must be a plain object.*a Headers/,
    ],
    ["a header whose name has a space", { twiml: reject(), headers: { "a b": "1" } }, /cannot be the name of a header/],
    ["receive, not called", receive, /not a function: is a call missing\?$/],
    [
      "a response of another library",
      { comment() {}, toString: () => "<Response/>" },
      /parseTwiml\(String\(response\)\)/,
    ],
    ["text", "<Response/>", /not "<Response\/>"\.$/],
  ])("says so of %s", async (_, answer, message) => {
    await expect(setUp({ onFax: (() => answer) as never }).handle(request())).rejects.toThrow(message);
  });
});
