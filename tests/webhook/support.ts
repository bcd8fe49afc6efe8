/** Shared by the tests of the webhook: parameters, signed requests, multipart callbacks, webhooks with spies. */
import { createHmac } from "node:crypto";
import { Readable } from "node:stream";
import { vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import {
  faxWebhook,
  type FaxWebhookOptions,
  type HandleRequest,
  type NodeRequest,
  type Refusal,
  signRequest,
  type WebhookReply,
  type WebhookRequest,
} from "../../src/webhook/index.js";

export const TOKEN = "12345";
export const ORIGIN = "https://fax.example.com";
export const FORM = "application/x-www-form-urlencoded";
export const TYPE = { "content-type": FORM };
export const XML = '<?xml version="1.0" encoding="UTF-8"?>';
const NUMBERS = { From: "+15017122661", To: "+15558675310" };
export const INCOMING = { FaxSid: "FX1", AccountSid: "AC1", ...NUMBERS, ApiVersion: "v1" };
export const CALLBACK = {
  ...INCOMING,
  FaxStatus: "received",
  NumPages: "2",
  MediaUrl: "https://files.example.com/1.pdf",
};
/** The parameters of a new fax as a form body. */
export const TEXT = new URLSearchParams(INCOMING).toString();
/** The form body of a new fax whose caller withholds the number. */
export const BODY = "FaxSid=FX1&AccountSid=AC1&From=&To=%2B2&ApiVersion=v1";

/** A webhook with spies as handlers, without those that are `undefined`. `onFax` returns `<Receive>` by default. */
export function setUp(options: Partial<FaxWebhookOptions> = {}) {
  const refusals: Refusal[] = [];
  const onFax = vi.fn<NonNullable<FaxWebhookOptions["onFax"]>>(options.onFax ?? (() => receive({ action: "/fax" })));
  const onCallback = vi.fn<NonNullable<FaxWebhookOptions["onCallback"]>>(options.onCallback ?? (() => undefined));
  const onRefused = vi.fn((refusal: Refusal, _request: WebhookRequest) => void refusals.push(refusal));
  const settings = { authToken: TOKEN, publicUrl: ORIGIN, onRefused, ...options, onFax, onCallback };
  for (const name of ["onFax", "onCallback"] as const) {
    if (name in options && options[name] === undefined) delete (settings as Partial<FaxWebhookOptions>)[name];
  }
  const webhook = faxWebhook(settings as FaxWebhookOptions);
  return { ...webhook, onFax, onCallback, onRefused, refusals };
}

/** Status and body of the reply to a refused request, and the reason that `onRefused` received. */
export async function refusalOf(webhook: Pick<ReturnType<typeof setUp>, "handle" | "refusals">, sent: HandleRequest) {
  const reply = await webhook.handle(sent);
  return [...plain(reply), webhook.refusals.at(-1)?.reason];
}

export interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly url?: string;
  readonly token?: string;
  readonly params?: Record<string, string>;
  readonly header?: string;
  readonly headers?: HandleRequest["headers"];
  readonly body?: unknown;
}

/** A signed request to `ORIGIN`, as a provider sends it. The arguments replace parts of it. */
export function request({
  method = "POST",
  path = "/fax",
  url,
  token = TOKEN,
  params = INCOMING,
  header = "x-twilio-signature",
  headers,
  body,
}: Sent = {}): HandleRequest {
  const form = new URLSearchParams(params);
  const target = method === "POST" ? path : `${path}?${form}`;
  const signed = method === "POST" ? form : undefined;
  const signature = signRequest({ authToken: token, url: url ?? ORIGIN + target, params: signed });
  const type = method === "POST" ? TYPE : {};
  return {
    method,
    url: target,
    headers: { host: "10.0.0.5:3000", ...type, [header]: signature, ...headers },
    ...(method === "POST" && { body: body ?? form.toString() }),
  };
}

/** A signed request without one of its headers. */
export function requestWithout(name: string, sent?: Sent): HandleRequest {
  const { headers, ...rest } = request(sent);
  return { ...rest, headers: Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name)) };
}

export async function* stream(...chunks: unknown[]): AsyncGenerator<any> {
  yield* chunks;
}

/** A stream that must not be read. */
export async function* unread(): AsyncGenerator<any> {
  throw new Error("was read");
}

/** Runs a function while `Object.prototype` has these properties. */
export async function polluted(properties: Record<string, unknown>, run: () => unknown): Promise<void> {
  Object.assign(Object.prototype, properties);
  try {
    await run();
  } finally {
    for (const name of Object.keys(properties)) delete (Object.prototype as Record<string, unknown>)[name];
  }
}

/** A function that throws. */
export function thrower(error: unknown): () => never {
  return () => {
    throw error;
  };
}

export const bytes = (text: string) => new TextEncoder().encode(text);
export const plain = (reply: WebhookReply) => [reply.status, reply.body];

/** A webhook without verification and without warnings, which rejects every fax. */
export const open = (options: Partial<FaxWebhookOptions> = {}) =>
  faxWebhook({ authToken: false, onFax: () => reject(), onRefused: () => {}, ...options } as FaxWebhookOptions);

/** Options of a webhook that takes its URL from the request. */
export const BY_HOST = { publicUrl: undefined };
/** Options of a webhook that accepts multipart callbacks. */
export const DELIVERIES = { maxMediaBytes: 1 << 25, onCallback: () => {} };
/** An unsigned POST. */
export const post = (body: unknown, headers: Record<string, string> = {}): HandleRequest => ({
  method: "POST",
  url: "/fax",
  headers: { ...TYPE, ...headers },
  body,
});
/** The signature of a text, independent of `signRequest`. */
export const sign = (text: string) => createHmac("sha1", TOKEN).update(text).digest("base64");

/** One text field of a multipart body. */
export const part = (name: string, value: string, boundary = "b") =>
  `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
/** The text fields of a multipart body. */
export const parts = (fields: Iterable<[string, string]>, boundary?: string) =>
  Array.from(fields, ([name, value]) => part(name, value, boundary)).join("");
/** The headers of a multipart request. */
export const multipart = (boundary: string) => ({ "content-type": `multipart/form-data; boundary=${boundary}` });

/** The bytes of an uploaded file. */
export const PAGES = Uint8Array.from({ length: 1000 }, (_, i) => i & 255);

/** The form of a multipart callback with `PAGES`. `edit` changes it. */
export function deliveryForm(params: Record<string, string>, edit: (form: FormData) => void = () => {}): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.append(name, value);
  form.append("Media", new Blob([PAGES], { type: "application/pdf" }), "../../fax.pdf");
  edit(form);
  return form;
}

/** The properties of an `IncomingMessage` that the webhook reads. `more` adds or replaces some. */
export function incoming(
  more: object = {},
  stream = Readable.from([Buffer.from(TEXT)], { objectMode: false }),
): NodeRequest & Readable {
  const signature = signRequest({ authToken: TOKEN, url: `${ORIGIN}/fax`, params: INCOMING });
  const headers = { host: "fax.example.com", ...TYPE, "x-twilio-signature": signature };
  return Object.assign(stream, { method: "POST", url: "/fax", headers, ...more }) as never;
}

/** A stream that never ends. */
export const endless = () => new Readable({ read() {} });

/** A request that is an async iterable without `iterator()`, from a server that imitates Node's. `state` is added. */
export const likeNode = (state: object = {}): NodeRequest => ({
  method: "POST",
  url: "/fax",
  headers: TYPE,
  resume() {},
  destroy() {},
  once() {},
  [Symbol.asyncIterator]: () => stream(Buffer.from(BODY)),
  ...state,
});

/** A `ServerResponse` that records the reply. */
export function outgoing() {
  const headers: Record<string, string | string[]> = {};
  const res = {
    statusCode: 0,
    headersSent: false,
    headers,
    body: undefined as string | undefined,
    setHeader: (name: string, value: string | string[]) => void (headers[name] = value),
    end: (body?: string) => {
      res.headersSent = true;
      res.body = body;
    },
  };
  return res;
}
