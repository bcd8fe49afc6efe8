/** What the tests of the webhook share: a token, parameters, signed requests, deliveries, streams, watched webhooks. */
import { createHmac } from "node:crypto";
import { vi } from "vitest";
import { receive, reject } from "../../src/index.js";
import {
  faxWebhook,
  type FaxWebhookOptions,
  type HandleRequest,
  type Refusal,
  signRequest,
  type WebhookReply,
  type WebhookRequest,
} from "../../src/webhook/index.js";

export const TOKEN = "12345";
export const ORIGIN = "https://fax.example.com";
export const FORM = "application/x-www-form-urlencoded";
export const XML = '<?xml version="1.0" encoding="UTF-8"?>';
export const INCOMING = {
  FaxSid: "FX1",
  AccountSid: "AC1",
  From: "+15017122661",
  To: "+15558675310",
  ApiVersion: "v1",
};
export const CALLBACK = {
  ...INCOMING,
  FaxStatus: "received",
  NumPages: "2",
  MediaUrl: "https://files.example.com/1.pdf",
};

/** A webhook whose functions are watched; `onFax` receives. */
export function setUp(options: Partial<FaxWebhookOptions> = {}) {
  const refusals: Refusal[] = [];
  const onFax = vi.fn<NonNullable<FaxWebhookOptions["onFax"]>>(options.onFax ?? (() => receive({ action: "/fax" })));
  const onCallback = vi.fn<NonNullable<FaxWebhookOptions["onCallback"]>>(options.onCallback ?? (() => undefined));
  const watched = "onCallback" in options && options.onCallback === undefined ? {} : { onCallback };
  const onRefused = vi.fn((refusal: Refusal, _request: WebhookRequest) => void refusals.push(refusal));
  const settings = { authToken: TOKEN, publicUrl: ORIGIN, onRefused, ...options, ...watched, onFax };
  const webhook = faxWebhook(settings as FaxWebhookOptions);
  return { ...webhook, onFax, onCallback, onRefused, refusals };
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

/** A request as a provider sends it to `ORIGIN`, signed; what is given replaces a part of it. */
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
  const signature = signRequest({
    authToken: token,
    url: url ?? ORIGIN + target,
    params: method === "POST" ? form : undefined,
  });
  const type = method === "POST" ? { "content-type": FORM } : {};
  return {
    method,
    url: target,
    headers: { host: "10.0.0.5:3000", ...type, [header]: signature, ...headers },
    ...(method === "POST" && { body: body ?? form.toString() }),
  };
}

export async function* stream(...chunks: unknown[]): AsyncGenerator<any> {
  yield* chunks;
}

export const bytes = (text: string) => new TextEncoder().encode(text);
export const plain = (reply: WebhookReply) => [reply.status, reply.body];

/** The parameters of an incoming fax as a body, with a caller who withholds the number. */
export const BODY = "FaxSid=FX1&AccountSid=AC1&From=&To=%2B2&ApiVersion=v1";
export const TYPE = { "content-type": "application/x-www-form-urlencoded" };
/** A webhook that verifies nothing and rejects every fax. */
export const open = (options: Partial<FaxWebhookOptions> = {}) =>
  faxWebhook({ authToken: false, onFax: () => reject(), ...options } as FaxWebhookOptions);

/** Options of a webhook that takes deliveries. */
export const DELIVERIES = { maxMediaBytes: 1 << 25, onCallback: () => {} };
/** A POST to it. */
export const post = (body: unknown, headers: Record<string, string> = {}): HandleRequest => ({
  method: "POST",
  url: "/fax",
  headers: { ...TYPE, ...headers },
  body,
});
/** A signature by the definition, with the token "t". */
export const sign = (text: string) => createHmac("sha1", "t").update(text).digest("base64");
