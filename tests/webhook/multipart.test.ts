/** Deliveries: the pages, their boundary, their limits. */
import { describe, expect, it, vi } from "vitest";
import { reject } from "../../src/index.js";
import { type FaxWebhookOptions, type HandleRequest } from "../../src/webhook/index.js";
import {
  BODY,
  DELIVERIES,
  INCOMING,
  PAGES,
  deliveryForm,
  multipart,
  open,
  part,
  parts,
  plain,
  post,
  refusalOf,
  request,
  setUp,
  stream,
  unread,
} from "./support.js";

describe("handle: multipart deliveries", () => {
  const DELIVERY = { ...INCOMING, FaxStatus: "received", NumPages: "1" };

  /** A delivery, signed over its text fields; `edit` works on the form before it is sent. */
  async function delivery(edit?: (form: FormData) => void, params: Record<string, string> = DELIVERY) {
    const sent = new Response(deliveryForm(params, edit));
    const headers = { "content-type": sent.headers.get("content-type")! };
    return request({ params, headers, body: new Uint8Array(await sent.arrayBuffer()) });
  }

  it("gives the file as media, byte for byte", async () => {
    const { handle, onCallback } = setUp(DELIVERIES);
    expect((await handle(await delivery())).status).toBe(200);
    const { media, params } = onCallback.mock.calls[0]![0];
    expect(media).toMatchObject({ type: "application/pdf", size: 1000 });
    expect(new Uint8Array(await media!.arrayBuffer())).toEqual(PAGES);
    expect(params).toEqual(Object.assign(Object.create(null), DELIVERY));
  });

  it.each<[string, (sent: HandleRequest) => unknown]>([
    [
      "a stream of single bytes",
      ({ body }) => stream(...Array.from(body as Uint8Array, (byte) => Uint8Array.of(byte))),
    ],
    ["FormData", () => deliveryForm(DELIVERY)],
  ])("takes it as %s", async (_, bodyOf) => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await delivery();
    expect((await handle({ ...sent, body: bodyOf(sent) })).status).toBe(200);
    expect(onCallback.mock.calls.map(([callback]) => callback.media?.size)).toEqual([1000]);
  });

  it.each<[string, (form: FormData) => void]>([
    ["a changed text field", (form) => form.set("From", "+1900")],
    ["an added text field", (form) => form.append("x", "1")],
    ["files alone", (form) => Object.keys(DELIVERY).forEach((name) => form.delete(name))],
  ])("refuses %s by the signature", async (_, edit) => {
    expect(await refusalOf(setUp(DELIVERIES), await delivery(edit))).toEqual([403, "forbidden", "signature-mismatch"]);
  });

  it("refuses pages without a FaxStatus, which are not a new fax", async () => {
    const { handle, onFax, refusals } = setUp(DELIVERIES);
    expect(plain(await handle(await delivery(undefined, INCOMING)))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
    expect(refusals).toMatchObject([{ error: { issues: [{ parameter: "FaxStatus", code: "missing" }] } }]);
  });

  it("refuses pages that came as text, for want of a filename", async () => {
    const { handle, refusals } = setUp(DELIVERIES);
    const params = { ...DELIVERY, Media: "%PDF-1.4" };
    const sent = await delivery((form) => form.set("Media", params.Media), params);
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    const issue = { parameter: "Media", code: "invalid", message: expect.stringContaining("filename") };
    expect(refusals).toMatchObject([{ error: { issues: [issue] } }]);
  });

  it("takes the first of two files of pages, with an issue, and a file of another name without one", async () => {
    const twice = await delivery((form) => form.append("Media", new Blob(["x"]), "b.pdf"));
    const onCallback = vi.fn();
    expect((await setUp({ ...DELIVERIES, onCallback }).handle(twice)).status).toBe(200);
    expect(onCallback.mock.calls[0]![0]).toMatchObject({ media: { size: 1000 }, issues: [{ code: "repeated" }] });
    const other = await delivery((form) => form.append("Logo", new Blob(["x"]), "b.png"));
    expect((await setUp(DELIVERIES).handle(other)).status).toBe(200);
  });

  it("limits the pages by maxMediaBytes, and the rest by maxFormBytes beside it", async () => {
    const handle = async (options: object, sent?: object) =>
      setUp({ ...DELIVERIES, maxMediaBytes: 1000, ...options }).handle({ ...(await delivery()), ...sent });
    expect((await handle({})).status).toBe(200);
    expect(plain(await handle({ maxMediaBytes: 999 }))).toEqual([413, "too-large"]);
    expect(plain(await handle({ maxFormBytes: 100 }))).toEqual([413, "too-large"]);
    const { headers, body } = await delivery();
    const announced = { headers: { ...headers, "content-length": "2000" }, body: stream(body) };
    expect((await handle({ maxFormBytes: 999 }, announced)).status).toBe(413);
  });

  it("refuses every delivery with 415 unless maxMediaBytes is set, before a byte of it is read", async () => {
    expect((await open().handle(post(unread(), multipart("b")))).status).toBe(415);
  });
});

describe("handle: the boundary and the limits of a delivery", () => {
  const FIELDS = parts(new URLSearchParams(BODY));
  const WHOLE = `${FIELDS}--b--\r\n`;
  const delivery = (body: string) => post(Buffer.from(body), multipart("b"));

  it("reads a delivery as text", async () => {
    const onFax = vi.fn(() => reject());
    expect((await open({ ...DELIVERIES, onFax }).handle(post(WHOLE, multipart("b")))).status).toBe(200);
    expect(onFax).toHaveBeenCalledOnce();
  });

  it.each<[string, unknown]>([
    ["text", ""],
    ["bytes", new Uint8Array()],
  ])("refuses with missing-body an empty delivery as %s", async (_, body) => {
    const onFax = vi.fn(() => reject());
    const reply = await open({ ...DELIVERIES, onFax }).handle(post(body, multipart("b")));
    expect(plain(reply)).toEqual([400, "missing-body"]);
    expect(onFax).not.toHaveBeenCalled();
  });

  it.each([
    ["multipart/form-data; boundary=b", "b"],
    ['multipart/form-data; boundary="a,b"', "a,b"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a;b"', "a;b"],
    ["multipart/form-data; xboundary=z; boundary=b", "b"],
    [`multipart/form-data; boundary=${"b".repeat(70)}`, "b".repeat(70)],
  ])("reads a delivery of the type %s", async (type, boundary) => {
    const body = `${parts(new URLSearchParams(`${BODY}&FaxStatus=failed`), boundary)}--${boundary}--\r\n`;
    expect((await open(DELIVERIES).handle(post(Buffer.from(body), { "content-type": type }))).status).toBe(200);
  });

  const LONG = "b".repeat(71);
  it.each([
    ["cut short before the closing boundary", "multipart/form-data; boundary=b", FIELDS],
    ["without a boundary in its type", "multipart/form-data", WHOLE],
    ["without a boundary in its type, closed by an empty one", "multipart/form-data", "----\r\n"],
    ["with an empty boundary", 'multipart/form-data; boundary=""', "----\r\n"],
    ["with a boundary of more than 70 characters", `multipart/form-data; boundary=${LONG}`, `--${LONG}--\r\n`],
  ])("refuses with unreadable-body a delivery %s", async (_, type, body) => {
    const onRefused = vi.fn();
    const reply = await open({ ...DELIVERIES, onRefused }).handle(post(Buffer.from(body), { "content-type": type }));
    expect(plain(reply)).toEqual([400, "unreadable-body"]);
    const error = expect.objectContaining({ name: "MultipartError" });
    expect(onRefused.mock.calls[0]![0]).toMatchObject({ status: 400, reason: "unreadable-body", error });
  });

  it("refuses with unreadable-body a delivery that a text decoder has broken", async () => {
    const onRefused = vi.fn();
    await open({ ...DELIVERIES, onRefused }).handle(post(WHOLE.replace("FX1", "\ufffd"), multipart("b")));
    expect(onRefused.mock.calls[0]![0]).toMatchObject({ status: 400, reason: "unreadable-body" });
  });

  const many = (count: number) => Array.from({ length: count }, (_, i) => part(`p${i}`, "")).join("");
  it.each<[string, HandleRequest]>([
    ["text fields of more than a form's limit", delivery(part("a", "x".repeat(70_000)) + "--b--\r\n")],
    ["a thousand parts and more", delivery(part("a", "").repeat(1100) + "--b--\r\n")],
  ])("answers 413 to %s", async (_, sent) => {
    expect((await open(DELIVERIES).handle(sent)).status).toBe(413);
  });

  it.each<[string, HandleRequest, Partial<FaxWebhookOptions>]>([
    ["a thousand parts", delivery(`${FIELDS}${many(995)}--b--\r\n`), {}],
    [
      "text fields of exactly a form's limit",
      delivery(WHOLE),
      { maxFormBytes: "FaxSidFX1AccountSidAC1FromTo+2ApiVersionv1".length },
    ],
  ])("reads %s", async (_, sent, options) => {
    expect((await open({ ...DELIVERIES, ...options }).handle(sent)).status).toBe(200);
  });
});
