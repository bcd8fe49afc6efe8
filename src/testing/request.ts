/** The provider's request: its parameters, its signature and the bytes of its body. */
import type { MediaType } from "../twiml/verbs.js";
import { signRequest } from "../webhook/signature.js";
import type { FlavorRules } from "./flavors.js";

/** A request as it was sent. */
export interface SentRequest {
  /** HTTP method of the request. */
  readonly method: "GET" | "POST";
  /** The full URL, without `user:password@` and fragment. For a GET, its query has the parameters. */
  readonly url: string;
  /** By lower-case name, with signature and cookies. */
  readonly headers: Readonly<Record<string, string>>;
  /** The parameters of the fax or callback, by name. */
  readonly params: Readonly<Record<string, string>>;
  /** The pages of a multipart callback. */
  readonly file?: FileToSend | undefined;
  /** The exact body of a POST. */
  readonly body?: Uint8Array | undefined;
}

/** The pages with their type. */
export interface FileToSend {
  /** The bytes of the pages. */
  readonly bytes: Uint8Array;
  /** The type of the pages. */
  readonly type: MediaType;
}

/** The request before it is signed. */
export interface UnsignedRequest {
  readonly method: "GET" | "POST";
  /** With the configured `user:password@` and fragment. */
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly file?: FileToSend | undefined;
  /** The headers that all retries of the request share. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Whether the URL already contains the parameters, such as the target of a redirected GET. */
  readonly isComplete?: boolean;
}

/** Adds the parameters and the signature, which covers the URL without password and fragment. */
export function sign(unsigned: UnsignedRequest, authToken: string, rules: FlavorRules): SentRequest {
  const { method, file, body } = unsigned;
  const params = file === undefined ? unsigned.params : normalizeLineBreaks(unsigned.params);
  const target = toRequestedUrl(unsigned.url);
  if (method === "GET" && !unsigned.isComplete) appendQuery(target, params);
  const signature = signRequest({ authToken, url: target.href, params: method === "POST" ? params : undefined });
  const defaults = { "user-agent": rules.userAgent, accept: "*/*", [rules.signatureHeader]: signature };
  return { method, url: target.href, headers: { ...defaults, ...unsigned.headers }, params, file, body };
}

/** The URL without the password and the fragment of the configured URL, which are not in the request. */
export function toRequestedUrl(configured: string): URL {
  return Object.assign(new URL(configured), { username: "", password: "", hash: "" });
}

/** Normalizes line breaks as `FormData` does: https://html.spec.whatwg.org/#multipart-form-data */
function normalizeLineBreaks(params: Readonly<Record<string, string>>): Record<string, string> {
  const normalize = (text: string) => text.replace(/\r\n?|\n/g, "\r\n");
  return Object.fromEntries(Object.entries(params).map(([name, value]) => [normalize(name), normalize(value)]));
}

/** Appends the parameters as text. `URLSearchParams` would re-encode the configured query, which is signed as it is. */
function appendQuery(url: URL, params: Readonly<Record<string, string>>): void {
  url.search = [url.search.slice(1), String(new URLSearchParams(params))].filter(Boolean).join("&");
}

/** Adds the bytes of the body, which retries and redirects send unchanged. */
export async function withBody(unsigned: UnsignedRequest): Promise<UnsignedRequest> {
  if (unsigned.method === "GET") return unsigned;
  const form = new Response(encodeForm(unsigned));
  const headers = { ...unsigned.headers, "content-type": form.headers.get("content-type")! };
  return { ...unsigned, headers, body: new Uint8Array(await form.arrayBuffer()) };
}

function encodeForm({ params, file }: Pick<UnsignedRequest, "params" | "file">): URLSearchParams | FormData {
  if (file === undefined) return new URLSearchParams(params);
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.append(name, value);
  const blob = new Blob([file.bytes], { type: file.type });
  form.append("Media", blob, file.type === "image/tiff" ? "fax.tiff" : "fax.pdf");
  return form;
}

/** The request as a `Request` of the platform. */
export function toPlatformRequest(request: SentRequest, signal?: AbortSignal): Request {
  const { method, url, headers, body } = request;
  const init: RequestInit = { method, headers, redirect: "manual", ...(signal && { signal }) };
  if (method === "GET") return new Request(url, init);
  return new Request(url, { ...init, body: (body as Uint8Array<ArrayBuffer> | undefined) ?? encodeForm(request) });
}
