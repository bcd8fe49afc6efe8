/** Deliveries: the pages, their boundary, their limits. */
import { describe, expect, it, vi } from "vitest";
import { type FaxRequestError } from "../../src/index.js";
import { type FaxWebhookOptions, type HandleRequest } from "../../src/webhook/index.js";
import { BODY, DELIVERIES, INCOMING, open, plain, post, request, setUp, stream } from "./support.js";

describe("handle: multipart deliveries", () => {
  const DELIVERY = { ...INCOMING, FaxStatus: "received", NumPages: "1" };
  const PAGES = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

  /** A delivery, signed over its text fields; `edit` works on the form before it is sent. */
  async function delivery(
    edit: (form: FormData) => void = () => {},
    params: Record<string, string> = DELIVERY,
  ): Promise<HandleRequest> {
    const form = new FormData();
    for (const [name, value] of Object.entries(params)) form.append(name, value);
    form.append("Media", new Blob([PAGES], { type: "application/pdf" }), "../../fax.pdf");
    edit(form);
    const sent = new Response(form);
    const type = sent.headers.get("content-type")!;
    return {
      ...request({ params }),
      headers: { ...request({ params }).headers, "content-type": type },
      body: new Uint8Array(await sent.arrayBuffer()),
    };
  }

  it("gives the file as media, byte for byte", async () => {
    const { handle, onCallback } = setUp(DELIVERIES);
    expect((await handle(await delivery())).status).toBe(200);
    const { media, params } = onCallback.mock.calls[0]![0];
    expect(media).toMatchObject({ type: "application/pdf", size: 1000 });
    expect(new Uint8Array(await media!.arrayBuffer())).toEqual(PAGES);
    expect(params).toEqual(Object.assign(Object.create(null), DELIVERY));
  });

  it("takes it as a stream and as FormData", async () => {
    const { handle, onCallback } = setUp(DELIVERIES);
    const sent = await delivery();
    expect(
      (await handle({ ...sent, body: stream(...Array.from(sent.body as Uint8Array, (byte) => Uint8Array.of(byte))) }))
        .status,
    ).toBe(200);
    const form = await new Response(sent.body as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": (sent.headers as Record<string, string>)["content-type"]! },
    }).formData();
    expect((await handle({ ...sent, body: form })).status).toBe(200);
    expect(onCallback.mock.calls.map(([callback]) => callback.media?.size)).toEqual([1000, 1000]);
  });

  it("refuses changed text fields", async () => {
    expect(plain(await setUp(DELIVERIES).handle(await delivery((form) => form.set("From", "+1900"))))).toEqual([
      403,
      "forbidden",
    ]);
    expect(plain(await setUp(DELIVERIES).handle(await delivery((form) => form.append("x", "1"))))).toEqual([
      403,
      "forbidden",
    ]);
  });

  it("takes pages without a FaxStatus for no new fax", async () => {
    const { handle, onFax, refusals } = setUp(DELIVERIES);
    expect(plain(await handle(await delivery(undefined, INCOMING)))).toEqual([400, "invalid-parameters"]);
    expect(onFax).not.toHaveBeenCalled();
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([{ parameter: "FaxStatus", code: "missing" }]);
  });

  it("has an issue with pages that came as text, for want of a filename", async () => {
    const { handle, refusals } = setUp(DELIVERIES);
    const params = { ...DELIVERY, Media: "%PDF-1.4" };
    const sent = await delivery((form) => form.set("Media", params.Media), params);
    expect(plain(await handle(sent))).toEqual([400, "invalid-parameters"]);
    expect((refusals[0]?.error as FaxRequestError).issues).toMatchObject([
      { parameter: "Media", code: "invalid", message: expect.stringContaining("filename") },
    ]);
  });

  it("has an issue with two files of pages, and none with a file of another name", async () => {
    const twice = await delivery((form) => form.append("Media", new Blob(["x"]), "b.pdf"));
    const onCallback = vi.fn();
    expect((await setUp({ ...DELIVERIES, onCallback }).handle(twice)).status).toBe(200);
    expect(onCallback.mock.calls[0]![0]).toMatchObject({ media: { size: 1000 }, issues: [{ code: "repeated" }] });
    const other = await delivery((form) => form.append("Logo", new Blob(["x"]), "b.png"));
    expect((await setUp(DELIVERIES).handle(other)).status).toBe(200);
  });

  it("limits the pages by maxMediaBytes, and the rest by maxFormBytes beside it", async () => {
    expect((await setUp({ ...DELIVERIES, maxMediaBytes: 1000 }).handle(await delivery())).status).toBe(200);
    expect(plain(await setUp({ ...DELIVERIES, maxMediaBytes: 999 }).handle(await delivery()))).toEqual([
      413,
      "too-large",
    ]);
    expect(
      plain(await setUp({ ...DELIVERIES, maxMediaBytes: 1000, maxFormBytes: 100 }).handle(await delivery())),
    ).toEqual([413, "too-large"]);
    const sent = await delivery();
    const headers = { ...sent.headers, "content-length": "2000" };
    expect(
      (
        await setUp({ ...DELIVERIES, maxMediaBytes: 1000, maxFormBytes: 999 }).handle({
          ...sent,
          headers,
          body: stream(sent.body),
        })
      ).status,
    ).toBe(413);
  });

  it("refuses one with files alone by its signature", async () => {
    const form = new FormData();
    form.append("Media", new Blob([PAGES]), "a.pdf");
    const { body, headers } = { body: new Response(form), headers: request().headers };
    const type = body.headers.get("content-type")!;
    const sent = {
      ...request(),
      headers: { ...headers, "content-type": type },
      body: new Uint8Array(await body.arrayBuffer()),
    };
    expect(plain(await setUp(DELIVERIES).handle(sent))).toEqual([403, "forbidden"]);
  });
});

describe("handle: the boundary of a delivery", () => {
  const fields = { FaxSid: "FX1", AccountSid: "AC1", From: "", To: "+2", ApiVersion: "v1", FaxStatus: "failed" };
  const send = (contentType: string, boundary: string, end = `--${boundary}--\r\n`) => {
    const webhook = open(DELIVERIES);
    const parts = Object.entries(fields).map(
      ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    return webhook.handle({
      method: "POST",
      url: "/fax",
      headers: { "content-type": contentType },
      body: Buffer.from(parts.join("") + end),
    });
  };

  it.each([
    ["multipart/form-data; boundary=b", "b"],
    ['multipart/form-data; boundary="a,b"', "a,b"],
    ['Multipart/Form-Data; charset=utf-8; Boundary="a;b"', "a;b"],
    ["multipart/form-data; xboundary=z; boundary=b", "b"],
  ])("reads %s", async (contentType, boundary) => {
    expect((await send(contentType, boundary)).status).toBe(200);
  });

  it.each([
    ["cut short before the closing boundary", "multipart/form-data; boundary=b", "b", ""],
    ["without a boundary in its type", "multipart/form-data", "b", "--b--\r\n"],
  ])("refuses a delivery %s", async (_, contentType, boundary, end) => {
    expect(await send(contentType, boundary, end)).toMatchObject({ status: 400, body: "unreadable-body" });
  });
});

describe("handle: the limits of a delivery", () => {
  const delivery = (boundary: string, parts: string) =>
    post(Buffer.from(parts), { "content-type": `multipart/form-data; boundary=${boundary}` });
  const part = (name: string, value: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

  it.each<[string, HandleRequest, number]>([
    ["text fields of more than a form's limit", delivery("b", part("a", "x".repeat(70_000)) + "--b--\r\n"), 413],
    ["a thousand parts and more", delivery("b", part("a", "").repeat(1100) + "--b--\r\n"), 413],
    ["a boundary of more than 70 characters", delivery("b".repeat(71), `--${"b".repeat(71)}--\r\n`), 400],
    [
      "a delivery that a text decoder has broken",
      post(part("a", "\ufffd") + "--b--\r\n", { "content-type": "multipart/form-data; boundary=b" }),
      400,
    ],
  ])("refuses %s", async (_, request, status) => {
    expect((await open(DELIVERIES).handle(request)).status).toBe(status);
  });

  const long = "b".repeat(70);
  const fields = (count: number) =>
    BODY.split("&")
      .map((pair) => part(...(pair.split("=").map(decodeURIComponent) as [string, string])))
      .join("") + Array.from({ length: count - 5 }, (_, i) => part(`p${i}`, "")).join("");
  it.each<[string, HandleRequest, Partial<FaxWebhookOptions>]>([
    [
      "a boundary of 70 characters",
      delivery(long, fields(5).replaceAll("--b\r\n", `--${long}\r\n`) + `--${long}--\r\n`),
      {},
    ],
    ["a thousand parts", delivery("b", fields(1000) + "--b--\r\n"), {}],
    [
      "text fields of exactly a form's limit",
      delivery("b", fields(5) + "--b--\r\n"),
      { maxFormBytes: "FaxSidFX1AccountSidAC1FromTo+2ApiVersionv1".length },
    ],
  ])("reads %s", async (_, request, options) => {
    expect((await open({ ...DELIVERIES, ...options }).handle(request)).status).toBe(200);
  });

  it("refuses a delivery without a boundary, or with too long a one", async () => {
    for (const type of [
      "multipart/form-data",
      `multipart/form-data; boundary=${"b".repeat(71)}`,
      'multipart/form-data; boundary=""',
    ]) {
      const onRefused = vi.fn();
      await open({ ...DELIVERIES, onRefused }).handle(
        post(Buffer.from(`--${"b".repeat(71)}--\r\n----\r\n`), { "content-type": type }),
      );
      expect(onRefused.mock.calls[0]![0]).toMatchObject({
        reason: "unreadable-body",
        error: expect.objectContaining({ name: "MultipartError" }),
      });
    }
  });

  it("says of broken text only that it is unreadable, before it is parsed", async () => {
    const onRefused = vi.fn();
    await open({ ...DELIVERIES, onRefused }).handle(
      post(fields(5).replace("FX1", "\ufffd") + "--b--\r\n", { "content-type": "multipart/form-data; boundary=b" }),
    );
    expect(onRefused.mock.calls[0]![0]).toMatchObject({ status: 400, reason: "unreadable-body" });
  });
});
