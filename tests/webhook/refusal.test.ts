/** The reasons for a refusal, and what onRefused gets. */
import { describe, expect, it, vi } from "vitest";
import { receive } from "../../src/index.js";
import { type HandleRequest, type Refusal, faxWebhook } from "../../src/webhook/index.js";
import * as hints from "../../src/webhook/hints.js";
import {
  DELIVERIES,
  FORM,
  INCOMING,
  ORIGIN,
  TEXT,
  TOKEN,
  bytes,
  plain,
  request,
  requestWithout,
  setUp,
  stream,
} from "./support.js";

describe("handle: every refusal has a status, a reason and a message", () => {
  const deliver = (type: string, body: unknown): HandleRequest => ({
    ...request({ headers: { "content-type": type } }),
    body,
  });

  const { headers } = request();

  const table: [string, HandleRequest, number, Refusal["reason"]][] = [
    ...["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", ""].map(
      (method): [string, HandleRequest, number, Refusal["reason"]] => [
        `method "${method}"`,
        { ...request(), method },
        405,
        "method-not-allowed",
      ],
    ),
    ["no signature", requestWithout("x-twilio-signature"), 403, "missing-signature"],
    ["an empty signature", request({ headers: { "x-twilio-signature": "" } }), 403, "missing-signature"],
    ["another token", request({ token: "guessed" }), 403, "signature-mismatch"],
    [
      "a signature twice",
      request({
        headers: {
          "x-twilio-signature": ["AAAAAAAAAAAAAAAAAAAAAAAAAAA=", String(headers["x-twilio-signature" as never])],
        },
      }),
      403,
      "signature-mismatch",
    ],
    ["another path", { ...request(), url: "/fix" }, 403, "signature-mismatch"],
    [
      "another body",
      request({ body: new URLSearchParams({ ...INCOMING, From: "+1900" }).toString() }),
      403,
      "signature-mismatch",
    ],
    ["an added parameter", request({ body: `${TEXT}&x=1` }), 403, "signature-mismatch"],
    ["a dropped parameter", request({ body: TEXT.replace(/&ApiVersion=v1/, "") }), 403, "signature-mismatch"],
    ["a nested parameter", request({ body: { ...INCOMING, a: { b: "1" } } }), 403, "signature-mismatch"],
    ["no body", { ...request(), body: undefined }, 400, "missing-body"],
    ["body: null", { ...request(), body: null }, 400, "missing-body"],
    ["an empty body", request({ body: "" }), 400, "missing-body"],
    ["an empty buffer", request({ body: new Uint8Array() }), 400, "missing-body"],
    ["an empty stream", request({ body: stream() }), 400, "missing-body"],
    ["an empty object", request({ body: {} }), 400, "missing-body"],
    ["separators alone", request({ body: "&&" }), 400, "missing-body"],
    ["a number as body", request({ body: 5 }), 400, "missing-body"],
    ["malformed multipart", deliver("multipart/form-data; boundary=x", bytes("--y\r\n")), 400, "unreadable-body"],
    ["multipart without a boundary", deliver("multipart/form-data", bytes("--x--")), 400, "unreadable-body"],
    [
      "multipart cut short",
      deliver("multipart/form-data; boundary=x", bytes('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb')),
      400,
      "unreadable-body",
    ],
    ["a missing parameter", request({ params: { FaxSid: "FX1" } }), 400, "invalid-parameters"],
    ["a SID that is a path", request({ params: { ...INCOMING, FaxSid: "../x" } }), 400, "invalid-parameters"],
    ["a form over the limit, as text", request({ params: { ...INCOMING, x: "x".repeat(65_536) } }), 413, "too-large"],
    ["a form over the limit, as bytes", request({ body: new Uint8Array(65_537) }), 413, "too-large"],
    [
      "a form over the limit, as a stream",
      request({ body: stream(new Uint8Array(65_536), new Uint8Array(1)) }),
      413,
      "too-large",
    ],
    [
      "a stream announced over the limit",
      request({ headers: { "content-length": "65537" }, body: stream(bytes("a=b")) }),
      413,
      "too-large",
    ],
    ["json", deliver("application/json", "{}"), 415, "unsupported-media-type"],
    ["text/plain", deliver("text/plain", "a=b"), 415, "unsupported-media-type"],
    ["a type that begins like ours", deliver(`${FORM}x`, "a=b"), 415, "unsupported-media-type"],
    ["no content type", requestWithout("content-type"), 415, "unsupported-media-type"],
    [
      "a compressed stream",
      request({ headers: { "content-encoding": "gzip" }, body: stream(bytes("a=b")) }),
      415,
      "unsupported-media-type",
    ],
    [
      "compressed bytes",
      request({ headers: { "content-encoding": "br" }, body: bytes("a=b") }),
      415,
      "unsupported-media-type",
    ],
  ];

  it.each(table)("refuses: %s", async (_, sent, status, reason) => {
    const { handle, onFax, onCallback, onRefused } = setUp(DELIVERIES);
    const reply = await handle(sent);
    const allow = status === 405 ? { allow: "GET, HEAD, POST" } : {};
    expect(reply).toEqual({
      status,
      headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...allow },
      body: status === 403 ? "forbidden" : reason,
    });
    expect(onRefused).toHaveBeenCalledOnce();
    const [refusal, seen] = onRefused.mock.calls[0]!;
    expect(refusal).toMatchObject({ status, reason, message: expect.stringMatching(/^.{20,}\.$/) });
    expect(seen.url).toBe(sent.url);
    expect(JSON.stringify(refusal)).not.toContain(TOKEN);
    expect("urls" in refusal).toBe(reason === "signature-mismatch");
    expect("error" in refusal).toBe(reason === "invalid-parameters" || reason === "unreadable-body");
    expect([onFax.mock.calls, onCallback.mock.calls]).toEqual([[], []]);
  });
});

describe("handle: what onRefused is told", () => {
  it("answers alike without onRefused, and rejects with what it throws", async () => {
    expect(plain(await setUp({ onRefused: undefined }).handle(request({ token: "guessed" })))).toEqual([
      403,
      "forbidden",
    ]);
    const error = new Error("no log");
    await expect(setUp({ onRefused: () => Promise.reject(error) }).handle(request({ token: "guessed" }))).rejects.toBe(
      error,
    );
  });

  it("tells every issue of the parameters to onRefused alone", async () => {
    const { handle, refusals } = setUp();
    const reply = await handle(request({ params: { faxsid: "FX1", AccountSid: "../", From: "", To: "" } }));
    expect(reply.body).toBe("invalid-parameters");
    expect(refusals).toMatchObject([
      {
        error: {
          name: "FaxRequestError",
          issues: [
            { parameter: "FaxSid", code: "missing" },
            { parameter: "AccountSid", code: "invalid" },
            { parameter: "To", code: "empty" },
            { parameter: "ApiVersion", code: "missing" },
          ],
        },
      },
    ]);
  });

  it("looks for a hint once if the refusal is observed, and not at all otherwise", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const find = vi.spyOn(hints, "findMismatchHint");
    const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onFax: () => receive() });
    for (let i = 0; i < 3; i++) await webhook.handle(request({ token: "guessed" }));
    expect(find).toHaveBeenCalledOnce();
    await setUp().handle(request({ token: "guessed" }));
    expect(find).toHaveBeenCalledTimes(2);
    find.mockRestore();
    warn.mockRestore();
    vi.useRealTimers();
  });

  it("writes each reason to the console once a minute, without onRefused", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onFax: () => receive() });
    for (let i = 0; i < 3; i++) {
      await webhook.handle(request({ token: "guessed" }));
      await webhook.handle({ ...request(), method: "PUT" });
    }
    const shown = warn.mock.calls.map(([text]) => text as string);
    vi.advanceTimersByTime(59_999);
    await webhook.handle(request({ token: "guessed" }));
    expect(warn).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1);
    await webhook.handle(request({ token: "guessed" }));
    expect(warn).toHaveBeenCalledTimes(3);
    vi.useRealTimers();
    warn.mockRestore();
    expect(shown).toHaveLength(2);
    expect(shown[0]).toMatch(/^twiml-fax refused a request: 403 signature-mismatch\. Compare `urls`/);
    expect(shown[0]).toContain(`${ORIGIN}/fax`);
  });
});
