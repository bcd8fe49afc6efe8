/** A provider's request: its parameters where they belong, its signature, its bytes. */
import { signRequest } from "../webhook/signature.js";
import type { FlavorRules } from "./flavors.js";

/** A request as it was sent. */
export interface SentRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** By lower-case name, signature and cookies included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  /** The pages of a delivery. */
  readonly file?: FileToSend | undefined;
  /** The body of a POST, to the letter. */
  readonly body?: Uint8Array | undefined;
}

/** Pages with their type. */
export interface FileToSend {
  readonly bytes: Uint8Array;
  readonly type: "application/pdf" | "image/tiff";
}

/** What to request, before it is signed. */
export interface UnsignedRequest {
  readonly method: "GET" | "POST";
  /** With the `user:password@` and the fragment that are configured. */
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly file?: FileToSend | undefined;
  /** Those that retries of the same request share. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** Whether the URL has the parameters already, as the target of a redirected GET has. */
  readonly isComplete?: boolean;
}

/** The request with its parameters and its signature over the URL that is asked for. */
export function sign(toSend: UnsignedRequest, authToken: string, rules: FlavorRules): SentRequest {
  const { method, file, body } = toSend;
  const params = file === undefined ? toSend.params : normalizeLineBreaks(toSend.params);
  const target = new URL(toSend.url);
  target.username = target.password = target.hash = "";
  if (method === "GET" && !toSend.isComplete) appendQuery(target, params);
  const signature = signRequest({ authToken, url: target.href, params: method === "POST" ? params : undefined });
  const usual = { "user-agent": rules.userAgent, accept: "*/*", [rules.signatureHeader]: signature };
  return { method, url: target.href, headers: { ...usual, ...toSend.headers }, params, file, body };
}

/** As `FormData` writes them: https://html.spec.whatwg.org/#multipart-form-data */
function normalizeLineBreaks(params: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(params);
  return Object.fromEntries(entries.map((pair) => pair.map((text) => text.replace(/\r\n?|\n/g, "\r\n"))));
}

/** By text: `URLSearchParams` would write the URL's own query anew, and another URL would be signed. */
function appendQuery(url: URL, params: Readonly<Record<string, string>>): void {
  url.search = [url.search.slice(1), String(new URLSearchParams(params))].filter(Boolean).join("&");
}

/** The request with the bytes of its body, which its retries and redirects send to the letter. */
export async function withBody(toSend: UnsignedRequest): Promise<UnsignedRequest> {
  if (toSend.method === "GET") return toSend;
  const form = new Response(encodeForm(toSend));
  const headers = { ...toSend.headers, "content-type": form.headers.get("content-type")! };
  return { ...toSend, headers, body: new Uint8Array(await form.arrayBuffer()) };
}

function encodeForm({ params, file }: Pick<UnsignedRequest, "params" | "file">): URLSearchParams | FormData {
  if (file === undefined) return new URLSearchParams(params);
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.append(name, value);
  const blob = new Blob([file.bytes as Uint8Array<ArrayBuffer>], { type: file.type });
  form.append("Media", blob, file.type === "image/tiff" ? "fax.tiff" : "fax.pdf");
  return form;
}

/** The request as an object of the platform. */
export function toPlatformRequest(request: SentRequest, signal?: AbortSignal): Request {
  const { method, url, headers, body } = request;
  const init: RequestInit = { method, headers, redirect: "manual", ...(signal && { signal }) };
  if (method === "GET") return new Request(url, init);
  return new Request(url, { ...init, body: (body as Uint8Array<ArrayBuffer> | undefined) ?? encodeForm(request) });
}
