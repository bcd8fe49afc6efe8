/** The refusals: their statuses, reasons and details, and the warnings without onRefused. */
import { describe, expect, it, vi } from "vitest";
import { type HandleRequest, type Refusal } from "../../src/webhook/index.js";
import { DELIVERIES, FORM, INCOMING, ORIGIN, TEXT, TOKEN } from "./support.js";
import { bytes, plain, request, requestWithout, setUp, stream, type Sent } from "./support.js";

type Row = [status: number, name: string, reason: Refusal["reason"], sent: HandleRequest];

const methods = ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", ""].map((method): Row => {
  return [405, `the method "${method}"`, "method-not-allowed", { ...request(), method }];
});

const signature = new Map(Object.entries(request().headers)).get("x-twilio-signature") as string;
const twice = { "x-twilio-signature": ["AAAAAAAAAAAAAAAAAAAAAAAAAAA=", signature] };
const mismatches = Object.entries<Sent>({
  "another token": { token: "guessed" },
  "two signatures in one header": { headers: twice },
  "another body": { body: TEXT.replace("FX1", "FX2") },
  "an added parameter": { body: `${TEXT}&x=1` },
  "a removed parameter": { body: TEXT.replace("&ApiVersion=v1", "") },
  "a nested parameter": { body: { ...INCOMING, a: { b: "1" } } },
}).map(([name, sent]): Row => [403, name, "signature-mismatch", request(sent)]);

const empty = Object.entries<unknown>({
  "no body": undefined,
  "the body null": null,
  "an empty body": "",
  "an empty buffer": new Uint8Array(),
  "an empty stream": stream(),
  "an empty object": {},
  "a body of separators": "&&",
  "a number as body": 5,
}).map(([name, body]): Row => [400, name, "missing-body", { ...request(), body }]);

const deliver = (type: string, body: unknown) => ({ ...request({ headers: { "content-type": type } }), body });
const cut = bytes('--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb');
const long = { ...INCOMING, x: "x".repeat(65_536) };
const announced = request({ headers: { "content-length": "65537" }, body: stream(bytes("a=b")) });
const gzip = { headers: { "content-encoding": "gzip" } };

describe("handle: refusals", () => {
  it.each<Row>([
    ...methods,
    [403, "a request without a signature", "missing-signature", requestWithout("x-twilio-signature")],
    [403, "an empty signature", "missing-signature", request({ headers: { "x-twilio-signature": "" } })],
    ...mismatches,
    [403, "another path", "signature-mismatch", { ...request(), url: "/fix" }],
    ...empty,
    [400, "malformed multipart", "unreadable-body", deliver("multipart/form-data; boundary=x", bytes("--y\r\n"))],
    [400, "multipart without a boundary", "unreadable-body", deliver("multipart/form-data", bytes("--x--"))],
    [400, "truncated multipart", "unreadable-body", deliver("multipart/form-data; boundary=x", cut)],
    [400, "a missing parameter", "invalid-parameters", request({ params: { FaxSid: "FX1" } })],
    [400, "a path as SID", "invalid-parameters", request({ params: { ...INCOMING, FaxSid: "../x" } })],
    [413, "text over maxFormBytes", "too-large", request({ params: long })],
    [413, "bytes over maxFormBytes", "too-large", request({ body: new Uint8Array(65_537) })],
    [413, "a stream over maxFormBytes", "too-large", request({ body: stream(bytes(long.x), new Uint8Array(1)) })],
    [413, "a Content-Length over maxFormBytes", "too-large", announced],
    [415, "JSON", "unsupported-media-type", deliver("application/json", "{}")],
    [415, "text/plain", "unsupported-media-type", deliver("text/plain", "a=b")],
    [415, "a longer media type", "unsupported-media-type", deliver(`${FORM}x`, "a=b")],
    [415, "a missing Content-Type", "unsupported-media-type", requestWithout("content-type")],
    [415, "a compressed stream", "unsupported-media-type", request({ ...gzip, body: stream(bytes("a=b")) })],
    [415, "compressed bytes", "unsupported-media-type", request({ ...gzip, body: bytes("a=b") })],
  ])("returns %d for %s, and calls onRefused once", async (status, _, reason, sent) => {
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

  it("passes every issue of the parameters to onRefused, and none to the client", async () => {
    const { handle, refusals } = setUp();
    const reply = await handle(request({ params: { faxsid: "FX1", AccountSid: "../", From: "", To: "" } }));
    expect(reply.body).toBe("invalid-parameters");
    const { name, issues } = refusals[0]!.error as { name?: string; issues?: { parameter: string; code: string }[] };
    expect(name).toBe("FaxRequestError");
    const codes = issues!.map(({ parameter, code }) => `${parameter} ${code}`);
    expect(codes).toEqual(["FaxSid missing", "AccountSid invalid", "To empty", "ApiVersion missing"]);
  });
});

describe("handle: without onRefused", () => {
  it("warns once per cause and minute, and replies as with onRefused", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { handle } = setUp({ onRefused: undefined });
    for (let i = 0; i < 3; i++) {
      expect(plain(await handle(request({ token: "guessed" })))).toEqual([403, "forbidden"]);
      await handle({ ...request(), method: "PUT" });
    }
    vi.advanceTimersByTime(59_999);
    await handle(request({ token: "guessed" }));
    expect(warn).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1);
    await handle(request({ token: "guessed" }));
    expect(warn).toHaveBeenCalledTimes(3);
    expect(warn.mock.calls[0]![0]).toMatch(/^twiml-fax refused a request: 403 signature-mismatch\. /);
    expect(warn.mock.calls[0]![0]).toContain(`Tried: ${ORIGIN}/fax`);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("warns for at most 10 causes of a reason within a minute", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    const warn = vi.spyOn(console, "warn").mockReturnValue();
    const { handle } = setUp({ ...DELIVERIES, onRefused: undefined });
    const send = async (count: number) => {
      for (let i = 0; i < count; i++) await handle(deliver(`multipart/form-data; boundary="é${i}"`, bytes("--x--")));
    };
    await handle(request({ token: "guessed" }));
    await handle(request({ headers: { "x-twilio-signature": "a".repeat(40) } }));
    expect(warn).toHaveBeenCalledTimes(2);
    await send(100);
    expect(warn).toHaveBeenCalledTimes(12);
    vi.advanceTimersByTime(60_000);
    await send(3);
    expect(warn).toHaveBeenCalledTimes(15);
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
});
