/** Multipart callbacks: the pages, the signature of the text, the limits. */
import { describe, expect, it } from "vitest";
import type { HandleRequest } from "../../src/webhook/index.js";
import {
  BODY,
  DELIVERIES,
  INCOMING,
  PAGES,
  deliveryForm,
  part,
  parts,
  plain,
  post,
  refusalOf,
  request,
  setUp,
  stream,
} from "./support.js";

describe("handle, multipart callbacks", () => {
  const CALLBACK = { ...INCOMING, FaxStatus: "received", NumPages: "1" };

  /** A multipart callback, signed over its text. `edit` changes the form before it is sent. */
  async function signedCallback(edit?: (form: FormData) => void, params: Record<string, string> = CALLBACK) {
    const sent = new Response(deliveryForm(params, edit));
    const headers = { "content-type": sent.headers.get("content-type")! };
    return request({ params, headers, body: new Uint8Array(await sent.arrayBuffer()) });
  }

  it.each<[string, (sent: HandleRequest) => unknown]>([
    ["bytes", ({ body }) => body],
    [
      "a stream of single bytes",
      ({ body }) => stream(...Array.from(body as Uint8Array, (byte) => Uint8Array.of(byte))),
    ],
    ["FormData", () => deliveryForm(CALLBACK)],
  ])("passes the file to onCallback byte for byte: %s", async (_, convert) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await signedCallback();
    expect((await handle({ ...sent, body: convert(sent) })).status).toBe(200);
    const { media, params } = onCallback.mock.calls[0]![0];
    expect(media).toMatchObject({ type: "application/pdf", size: 1000 });
    expect(new Uint8Array(await media!.arrayBuffer())).toEqual(PAGES);
    expect(params).toEqual(Object.assign(Object.create(null), CALLBACK));
  });

  it.each<[string, (form: FormData) => void]>([
    ["a changed text part", (form) => form.set("From", "+1900")],
    ["an added text part", (form) => form.append("x", "1")],
    ["only files", (form) => Object.keys(CALLBACK).forEach((name) => form.delete(name))],
  ])("returns 403 for a multipart callback with %s", async (_, edit) => {
    const refusal = await refusalOf(setUp(DELIVERIES), await signedCallback(edit));
    expect(refusal).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it("refuses pages without a FaxStatus and does not treat them as a new fax", async () => {
    const { handle, onFax, refusals } = setUp(DELIVERIES);
    expect(plain(await handle(await signedCallback(undefined, INCOMING)))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
    expect(refusals).toMatchObject([{ error: { issues: [{ parameter: "FaxStatus", code: "missing" }] } }]);
  });

  it("refuses pages in a part without a filename", async () => {
    const { handle, refusals } = setUp(DELIVERIES);
    const params = { ...CALLBACK, Media: "%PDF-1.4" };
    const sent = await signedCallback((form) => form.set("Media", params.Media), params);
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    const issue = { parameter: "Media", code: "invalid", message: expect.stringContaining("filename") };
    expect(refusals).toMatchObject([{ error: { issues: [issue] } }]);
  });

  it.each([
    ["a second file named Media, with an issue", "Media", [{ code: "repeated" }]],
    ["a file of another name, without an issue", "Logo", []],
  ])("accepts %s", async (_, name, issues) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await signedCallback((form) => form.append(name, new Blob(["x"]), "b.pdf"));
    expect((await handle(sent)).status).toBe(200);
    expect(onCallback.mock.calls[0]![0]).toMatchObject({ media: { size: 1000 }, issues });
  });

  it.each<[number, string, object, object?]>([
    [200, "pages of exactly maxMediaBytes", {}],
    [413, "pages over maxMediaBytes", { maxMediaBytes: 999 }],
    [413, "text over maxFormBytes", { maxFormBytes: 80 }],
    [413, "a body over both limits together", { maxFormBytes: 999 }, { headers: { "content-length": "2000" } }],
    [200, "a body of both limits together", { maxFormBytes: 1000 }, { headers: { "content-length": "2000" } }],
  ])("returns %i for %s", async (status, _, options, announced?: { headers?: object }) => {
    const sent = await signedCallback();
    const headers = { ...(sent.headers as Record<string, string>), ...announced?.headers };
    const body = announced ? stream(sent.body) : sent.body;
    const { handle } = setUp({ ...DELIVERIES, maxMediaBytes: 1000, ...options });
    expect((await handle({ ...sent, headers, body })).status).toBe(status);
  });
});

describe("handle, multipart bodies", () => {
  const WHOLE = `${parts(new URLSearchParams(BODY))}--b--\r\n`;

  it.each([
    ["text", "multipart/form-data; boundary=b", WHOLE],
    [
      "bytes with a quoted boundary",
      'Multipart/Form-Data; charset=utf-8; Boundary="a;b"',
      Buffer.from(`${parts(new URLSearchParams(BODY), "a;b")}--a;b--\r\n`),
    ],
  ])("reads a multipart body that is %s", async (_, type, body) => {
    const { handle, onFax } = setUp({ ...DELIVERIES, authToken: false });
    expect((await handle(post(body, { "content-type": type }))).status).toBe(200);
    expect(onFax).toHaveBeenCalledOnce();
  });

  it.each<[string, unknown, object, string?]>([
    ["empty text", "", { status: 400, reason: "missing-body" }],
    ["no bytes", new Uint8Array(), { status: 400, reason: "missing-body" }],
    ["no boundary in its type", WHOLE, { reason: "unreadable-body", error: { name: "MultipartError" } }, ""],
    ["U+FFFD in text", WHOLE.replace("FX1", "\ufffd"), { reason: "unreadable-body", error: expect.any(Error) }],
    ["1,001 parts", part("a", "1").repeat(1001), { status: 413, reason: "too-large" }],
  ])("refuses a multipart body with %s", async (_, body, refusal, boundary = "; boundary=b") => {
    const { handle, refusals, onFax } = setUp({ ...DELIVERIES, authToken: false });
    await handle(post(body, { "content-type": `multipart/form-data${boundary}` }));
    expect(refusals).toMatchObject([refusal]);
    expect(onFax).not.toHaveBeenCalled();
  });
});
