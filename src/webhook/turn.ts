/** One turn of the webhook without a server: the parts of a request in, the parts of the reply out. */
import { createHash } from "node:crypto";
import { type FaxParamSource, type Form, readForm } from "../params.js";
import { type FaxCallback, type FaxRequest, FaxRequestError, isSid, toFaxCallback, toFaxRequest } from "../request.js";
import { type FaxResponse, toTwiml, TWIML_CONTENT_TYPE } from "../response.js";
import { bare, isHttpUrl, quote } from "../text.js";
import { fail, type Verb } from "../verbs.js";
import { signedUrls, tokensOf, verifyRequest } from "./signature.js";

/** What the callbacks see of the HTTP request. */
export interface WebhookRequest {
  /** `GET`, `HEAD` or `POST`, but for refusals. */
  readonly method: string;
  /** As the server got it: path and query, or the whole URL. */
  readonly url: string;
  /** By lower-case name, without a prototype; a repeated header's values are joined by `, ` (cookies: `; `). */
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers of a reply, by name; several values for several `Set-Cookie`. */
export type ReplyHeaders = Readonly<Record<string, string | readonly string[]>>;

/** What `onFax` answers: a verb, a response with a verb, or one of them with headers. */
export type FaxAnswer = Verb | FaxResponse | { readonly twiml: Verb | FaxResponse; readonly headers?: ReplyHeaders };

/** What `onCallback` may answer; nothing is the empty `<Response/>`, which is what providers expect. */
export type CallbackAnswer =
  Verb | FaxResponse | { readonly twiml?: Verb | FaxResponse; readonly headers?: ReplyHeaders } | void | undefined;

/** One token, several while they rotate, or nothing when an account is not known. */
export type AuthTokens = string | readonly string[] | null | undefined;

/** Why a request was refused. */
export type RefusalReason = keyof typeof REASONS;

/** A refused request, for your logs; the provider is only told `status` and `reason`. */
export interface Refusal {
  /** HTTP status of the answer. */
  readonly status: number;
  readonly reason: RefusalReason;
  /** One sentence on what it means and what to do. */
  readonly message: string;
  /** For `signature-mismatch`: every URL that the signature was checked against, passwords blotted out. */
  readonly urls?: readonly string[];
  /** For `invalid-parameters` the `FaxRequestError` with its issues; for `unreadable-body` what reading it threw. */
  readonly error?: unknown;
}

/** Options of `faxWebhook`. */
export interface FaxWebhookOptions {
  /**
   * Twilio: the account's auth token. SignalWire: the project's signing key. Several while they rotate; a function of the
   * request's AccountSid for several accounts, whose answer is awaited. `false` switches verification off: anyone can
   * then send you faxes, so only for local work.
   */
  readonly authToken: string | readonly string[] | false | ((accountSid: string) => AuthTokens | Promise<AuthTokens>);
  /**
   * Origin, and path prefix if there is one, of the URL that the provider requests (`https://fax.example.com/hooks`), to
   * which the request's path and query are added; or a function of the request that returns it. Without it the Host
   * header is taken, with both schemes. `X-Forwarded-*` is never believed.
   */
  readonly publicUrl?: string | ((request: WebhookRequest) => string) | undefined;
  /** Decides on an incoming fax. */
  readonly onFax: (fax: FaxRequest, request: WebhookRequest) => FaxAnswer | Promise<FaxAnswer>;
  /** Is told how a fax went. A provider that got no answer tells it again, with the same FaxSid. */
  readonly onCallback?:
    ((callback: FaxCallback, request: WebhookRequest) => CallbackAnswer | Promise<CallbackAnswer>) | undefined;
  /** Is told of every request that was refused, with the reason. */
  readonly onRefused?: ((refusal: Refusal, request: WebhookRequest) => void | Promise<void>) | undefined;
  /** Most bytes of a form body. Default: 65,536. */
  readonly maxFormBytes?: number | undefined;
  /** Most bytes of the pages in a multipart delivery, which is held in memory. Default: 33,554,432 (32 MiB). */
  readonly maxMediaBytes?: number | undefined;
}

/** What `handle` takes. */
export interface HandleRequest {
  readonly method: string;
  /** Path and query as the client sent them (before a router cut a prefix off), or the whole URL. */
  readonly url: string;
  /** `IncomingMessage.headers`, a `Headers` object, or a record. */
  readonly headers:
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { forEach(callback: (value: string, name: string) => void): void };
  /**
   * The body: text, bytes (`Uint8Array`), a stream of them (any `AsyncIterable`, such as Node's or the web's), or what a
   * body parser made of it (an object, `FormData`).
   */
  readonly body?: unknown;
}

/** What `handle` gives back, to be written out as it is. */
export interface WebhookReply {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: string;
}

const REASONS = {
  "method-not-allowed": [405, "Providers send GET or POST."],
  "missing-signature": [403, "There is no X-Twilio-Signature or X-SignalWire-Signature header."],
  "signature-mismatch": [
    403,
    "Is one of `urls` the URL at the provider, to the letter (see publicUrl)? Then it is the token, or a changed body.",
  ],
  "no-token": [403, "authToken has none for this AccountSid."],
  "missing-body": [400, "There is no body: it is empty, or something read the stream before and left nothing."],
  "unreadable-body": [400, "The body ended early, or is not what its Content-Type says."],
  "invalid-parameters": [400, "The parameters cannot be read: see `error.issues`."],
  "too-large": [413, "More than maxFormBytes or maxMediaBytes."],
  "unsupported-media-type": [
    415,
    "Providers send application/x-www-form-urlencoded or multipart/form-data, uncompressed.",
  ],
} as const;

/** Thrown anywhere in a turn, caught once at its end. */
class Refused extends Error {
  constructor(
    readonly reason: RefusalReason,
    readonly details: Pick<Refusal, "urls" | "error"> = {},
  ) {
    super(reason);
  }
}

const SIGNATURES = ["x-twilio-signature", "x-signalwire-signature"];

/** The parameters of a request: where they come from, and what was read there, once for the signature and for the values. */
interface Received {
  readonly source: unknown;
  readonly form: Form;
}

/** The turn of {@link FaxWebhookOptions}; throws a TypeError for options that cannot work. */
export function createTurn(options: FaxWebhookOptions): (request: HandleRequest) => Promise<WebhookReply> {
  const {
    authToken,
    publicUrl,
    onFax,
    onCallback,
    onRefused,
    maxFormBytes = 64 * 1024,
    maxMediaBytes = 32 * 1024 * 1024,
  } = options;
  if (authToken !== false && typeof authToken !== "function") tokensOf(authToken);
  const must = (name: string, holds: boolean, be: string, value: unknown) => {
    if (!holds) throw new TypeError(`${name} must be ${be}, not ${quote(value)}.`);
  };
  must("onFax", typeof onFax === "function", "a function", onFax);
  must("onCallback", onCallback === undefined || typeof onCallback === "function", "a function", onCallback);
  must("onRefused", onRefused === undefined || typeof onRefused === "function", "a function", onRefused);
  must("maxFormBytes", Number.isSafeInteger(maxFormBytes) && maxFormBytes > 0, "a number of bytes", maxFormBytes);
  must("maxMediaBytes", Number.isSafeInteger(maxMediaBytes) && maxMediaBytes > 0, "a number of bytes", maxMediaBytes);
  const isBase =
    publicUrl === undefined ||
    typeof publicUrl === "function" ||
    (typeof publicUrl === "string" && isHttpUrl(publicUrl) && !/[?\s]/.test(publicUrl));
  must("publicUrl", isBase, `an http(s) origin, with or without a path, such as "https://fax.example.com"`, publicUrl);

  async function receiveForm(request: WebhookRequest, body: unknown): Promise<Received> {
    // The query of the very URL that is verified: what stands behind a "#" is signed by nobody.
    const source =
      request.method === "POST" ? await readBody(request, body) : (/^[^?#]*(\?[^#]*)/.exec(request.url)?.[1] ?? "");
    const form = readForm(source);
    if (form.media && form.media.size > maxMediaBytes) throw new Refused("too-large");
    const empty = !form.media && form.issues.length === 0 && Object.keys(form.params).length === 0;
    if (empty && request.method === "POST") throw new Refused("missing-body");
    return { source, form };
  }

  async function readBody({ headers }: WebhookRequest, body: unknown): Promise<unknown> {
    const type = (headers["content-type"] ?? "").split(";", 1)[0]!.trim().toLowerCase();
    const multipart = type === "multipart/form-data";
    if (!multipart && type !== "application/x-www-form-urlencoded") throw new Refused("unsupported-media-type");
    // The text fields and the boundaries of a delivery stand beside its pages.
    const limit = multipart ? maxMediaBytes + maxFormBytes : maxFormBytes;
    let form = body;
    if (typeof body === "string") {
      // One UTF-16 unit is at most three bytes of UTF-8: short bodies need no count.
      if (body.length * 3 > limit && Buffer.byteLength(body) > limit) throw new Refused("too-large");
      // Bytes that a text decoder has replaced are lost: better no pages than broken ones.
      if (multipart && body.includes("\ufffd")) throw new Refused("unreadable-body");
      if (multipart && body !== "")
        form = await readMultipart(Buffer.from(body), headers["content-type"]!, maxFormBytes);
    } else if (body instanceof Uint8Array || isStream(body)) {
      if ((headers["content-encoding"] ?? "identity").toLowerCase() !== "identity")
        throw new Refused("unsupported-media-type");
      const bytes = await readBytes(body, limit, Number(headers["content-length"] ?? 0));
      form =
        multipart && bytes.length > 0
          ? await readMultipart(bytes, headers["content-type"]!, maxFormBytes)
          : decoder.decode(bytes);
    }
    return form;
  }

  async function verify(request: WebhookRequest, { source, form }: Received): Promise<void> {
    if (authToken === false) return;
    let tokens: AuthTokens = authToken as AuthTokens;
    if (typeof authToken === "function") {
      // A stranger's text goes no further than this form: the function may well look it up in a database or a folder.
      const accountSid = form.params["AccountSid"];
      tokens = accountSid !== undefined && isSid(accountSid) ? await authToken(accountSid) : undefined;
      if (tokens === undefined || tokens === null || tokens.length === 0) throw new Refused("no-token");
    }
    // A function that returns nothing is a mistake of the server's, not of the request's: null keeps it from the default.
    const urls = requestedUrls(request, typeof publicUrl === "function" ? (publicUrl(request) ?? null) : publicUrl);
    // Where something could not stand in `form`, what was signed is in the source.
    const params =
      request.method !== "POST" ? undefined : ((form.issues.length > 0 ? source : form.params) as FaxParamSource);
    const signatures = new Set(SIGNATURES.map((name) => request.headers[name]));
    for (const url of urls) {
      for (const signature of signatures) if (verifyRequest({ authToken: tokens!, signature, url, params })) return;
    }
    const tried = urls.flatMap((url) =>
      [...signedUrls(url)].map((each) => each.replace(/\/\/[^/?#]*@/, "//***@").slice(0, 500)),
    );
    throw new Refused("signature-mismatch", { urls: [...new Set(tried)].slice(0, 50) });
  }

  async function answer(request: WebhookRequest, body: unknown): Promise<WebhookReply> {
    const { method, headers } = request;
    if (method !== "GET" && method !== "HEAD" && method !== "POST") throw new Refused("method-not-allowed");
    // Before the body: who does not even try to sign gets no memory of ours.
    if (authToken !== false && !SIGNATURES.some((name) => headers[name])) throw new Refused("missing-signature");
    const received = await receiveForm(request, body);
    await verify(request, received);
    const { form, source } = received;
    let result: { twiml: string; headers: Record<string, string | string[]> };
    // A callback is known by its FaxStatus, or by the pages, which must not be taken for a new fax either.
    if (form.params["FaxStatus"] !== undefined || form.params["Media"] !== undefined || form.media) {
      const callback = parsed(() => toFaxCallback(form, source));
      result = serialize(await onCallback?.(callback, request), true);
    } else {
      const fax = parsed(() => toFaxRequest(form, source));
      result = serialize(await onFax(fax, request), false);
    }
    const reply = { status: 200, headers: result.headers, body: result.twiml };
    reply.headers["content-type"] = TWIML_CONTENT_TYPE;
    if (method === "POST") {
      reply.headers["cache-control"] = "no-store";
      return reply;
    }
    reply.headers["cache-control"] ??= "private, no-cache";
    reply.headers["etag"] = `"${createHash("sha256").update(reply.body).digest("base64url")}"`;
    if (matches(headers["if-none-match"], reply.headers["etag"])) {
      return { ...reply, status: 304, body: "" };
    }
    if (method === "GET") return reply;
    reply.headers["content-length"] = String(Buffer.byteLength(reply.body));
    return { ...reply, body: "" };
  }

  return async ({ method, url, headers, body }) => {
    const request: WebhookRequest = Object.freeze({
      method: method.toUpperCase(),
      url,
      headers: Object.freeze(collect(headers)),
    });
    try {
      return await answer(request, body);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { reason, details } = error;
      const [status, message] = REASONS[reason];
      await onRefused?.({ status, reason, message, ...details }, request);
      const allow = status === 405 && { allow: "GET, HEAD, POST" };
      const plain = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store", ...allow };
      return { status, headers: plain, body: request.method === "HEAD" ? "" : reason };
    }
  };
}

// As WHATWG form parsing has it: a byte order mark is text.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

function isStream(body: unknown): body is AsyncIterable<Uint8Array> {
  return typeof body === "object" && body !== null && Symbol.asyncIterator in body;
}

async function readBytes(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  limit: number,
  announced: number,
): Promise<Uint8Array> {
  if (!isStream(body)) {
    if (body.length > limit) throw new Refused("too-large");
    return body;
  }
  if (announced > limit) throw new Refused("too-large");
  // One growing buffer: a list of chunks costs a stranger who sends single bytes a hundred times less than us.
  let bytes = Buffer.alloc(Math.min(limit, 64 * 1024));
  let size = 0;
  try {
    for await (const part of body as AsyncIterable<Uint8Array | string>) {
      const chunk = typeof part === "string" ? Buffer.from(part) : part;
      const end = size + chunk.length;
      if (end > limit) throw new Refused("too-large");
      if (end > bytes.length)
        bytes = Buffer.concat([bytes.subarray(0, size)], Math.min(limit, Math.max(end, 2 * bytes.length)));
      bytes.set(chunk, size);
      size = end;
    }
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("unreadable-body", { error });
  }
  return bytes.subarray(0, size);
}

/** RFC 2046, section 5.1.1: a boundary has 70 characters at most. A delivery has a dozen parts. */
const MAX_BOUNDARY = 70;
const MAX_PARTS = 1000;

async function readMultipart(bytes: Uint8Array, contentType: string, maxFormBytes: number): Promise<FormData> {
  const [, quoted, plain] = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  try {
    // Deno takes a delivery that was cut short for a complete one, without its pages.
    const tail = buffer.subarray(-1024);
    if (boundary === "" || boundary.length > MAX_BOUNDARY || !tail.includes(`--${boundary}--`))
      throw new Error("The closing boundary is missing.");
    const delimiter = `\r\n--${boundary.slice(0, 8)}`;
    for (let at = 0, parts = 0; (at = buffer.indexOf(delimiter, at)) >= 0; at++)
      if (++parts > MAX_PARTS) throw new Refused("too-large");
    const form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
      headers: { "content-type": contentType },
    }).formData();
    // The text is hashed for every URL and token that is tried: it has the limit of a form, whatever the pages have.
    let text = 0;
    for (const [name, value] of form) text += name.length + (typeof value === "string" ? value.length : 0);
    if (text > maxFormBytes) throw new Refused("too-large");
    return form;
  } catch (error) {
    throw error instanceof Refused ? error : new Refused("unreadable-body", { error });
  }
}

/** The URLs that the provider may have requested, before the variants that `verifyRequest` tries of each. */
function requestedUrls(request: WebhookRequest, publicUrl: unknown): string[] {
  const [, origin, ownHost, path = ""] = /^(https?:\/\/([^/?#]*))?([^#]*)/is.exec(request.url)!;
  if (publicUrl !== undefined) {
    if (typeof publicUrl !== "string") throw new TypeError(`publicUrl must return text, not ${quote(publicUrl)}.`);
    const [, base = "", fragment = ""] = /^([^#]*?)\/*(#.*)?$/s.exec(publicUrl)!;
    return [base + path + fragment];
  }
  const host = origin ? ownHost : (request.headers["host"] ?? request.headers[":authority"]);
  // A Host header that holds more than a host could move a request to another path.
  return host && /^[^\s/?#@\\]+$/.test(host) ? [`https://${host}${path}`, `http://${host}${path}`] : [];
}

function parsed<Fax>(read: () => Fax): Fax {
  try {
    return read();
  } catch (error) {
    throw error instanceof FaxRequestError ? new Refused("invalid-parameters", { error }) : error;
  }
}

/** By structure rather than by class: an ESM and a CommonJS copy of the library may meet. */
function isFaxResponse(value: object): value is FaxResponse {
  return typeof (value as Partial<FaxResponse>).comment === "function";
}

function serialize(
  result: FaxAnswer | CallbackAnswer,
  isCallback: boolean,
): { twiml: string; headers: Record<string, string | string[]> } {
  const isParts =
    typeof result === "object" && result !== null && !isFaxResponse(result) && !Object.hasOwn(result, "verb");
  const parts = (isParts ? result : { twiml: result }) as { twiml?: Verb | FaxResponse | null; headers?: ReplyHeaders };
  const twiml = parts.twiml ?? undefined;
  const verb = twiml && isFaxResponse(twiml) ? twiml.verb : twiml;
  if (!verb && !isCallback) {
    fail(
      undefined,
      undefined,
      "no-verb",
      "onFax must return receive() or reject(), or the fax is lost (the provider's error 34106)",
    );
  }
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(parts.headers ?? {})) {
    const key = name.toLowerCase();
    if (key === "content-length" || key === "transfer-encoding")
      throw new TypeError(`${key} is set by the server, not by the answer.`);
    const values = [value].flat().map(String);
    // The platform's own check, here rather than when half of the headers are written: throws a TypeError.
    new Headers(values.map((each): [string, string] => [name, each]));
    headers[key] = Array.isArray(value) ? values : values[0]!;
  }
  return { twiml: twiml && isFaxResponse(twiml) ? twiml.toString() : toTwiml(twiml), headers };
}

function collect(headers: HandleRequest["headers"]): Record<string, string> {
  const collected = bare<string>();
  const add = (value: string | readonly string[] | undefined, name: string) => {
    if (value === undefined) return;
    const key = name.toLowerCase();
    const separator = key === "cookie" ? "; " : ", ";
    const text = typeof value === "string" ? value : value.join(separator);
    collected[key] = collected[key] === undefined ? text : collected[key] + separator + text;
  };
  if (typeof headers.forEach === "function") headers.forEach(add);
  else for (const name of Object.keys(headers)) add((headers as Readonly<Record<string, string>>)[name], name);
  return collected;
}

/** Weak comparison, as RFC 9110, section 13.1.2 has it for If-None-Match. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = (ifNoneMatch ?? "").split(",").map((tag) => tag.trim().replace(/^W\//, ""));
  return tags.includes(etag) || ifNoneMatch?.trim() === "*";
}
