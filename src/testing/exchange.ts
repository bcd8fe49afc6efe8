/** One request and what comes back, as a provider makes it: cookies, redirects, retries and time limits. */
import { quote } from "../message.js";
import { signRequest } from "../webhook/signature.js";
import type { FlavorRules } from "./flavor.js";

/** A request as it was sent. */
export interface SentRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** By lower-case name, signature and cookies included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  /** The pages of a delivery. */
  readonly file?: FileToSend | undefined;
}

/** Pages with their type. */
export interface FileToSend {
  readonly bytes: Uint8Array;
  readonly type: "application/pdf" | "image/tiff";
}

/** What came back. */
export interface ReceivedResponse {
  readonly status: number;
  /** By lower-case name; cookies are kept out, they are in `cookies`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** A request with what came back, or with the provider's error. */
export interface FaxExchange {
  readonly request: SentRequest;
  /** Milliseconds until the answer, or the error, was there. */
  readonly ms: number;
  readonly response?: ReceivedResponse;
  readonly error?: { readonly code: number; readonly message: string };
}

/** What is the same for all requests of a conversation. */
export interface Line {
  readonly authToken: string;
  readonly rules: FlavorRules;
  readonly fetch: (request: Request) => unknown;
  /** When everything has to be over, by `performance.now()`. */
  readonly deadline: number;
  readonly cookies: Map<string, string>;
  readonly exchanges: FaxExchange[];
}

/** What to request, before it is signed. */
export interface ToSend {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly file?: FileToSend | undefined;
}

/** The request with the parameters where they belong, and its signature over the URL that is asked for. */
export function signed(
  { method, url, params, file }: ToSend,
  { authToken, rules }: Pick<Line, "authToken" | "rules">,
): SentRequest {
  const target = new URL(url);
  target.username = target.password = target.hash = "";
  if (method === "GET") for (const [name, value] of Object.entries(params)) target.searchParams.append(name, value);
  const signature = signRequest({ authToken, url: target.href, params: method === "POST" ? params : undefined });
  const headers = { "user-agent": rules.userAgent, accept: "*/*", [rules.signatureHeader]: signature };
  return { method, url: target.href, headers, params, file };
}

/** The request as an object of the platform. */
export function platformRequest({ method, url, headers, params, file }: SentRequest, signal?: AbortSignal): Request {
  const init: RequestInit = { method, headers, redirect: "manual", ...(signal && { signal }) };
  if (method === "GET") return new Request(url, init);
  if (file === undefined) return new Request(url, { ...init, body: new URLSearchParams(params) });
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.append(name, value);
  const name = file.type === "image/tiff" ? "fax.tiff" : "fax.pdf";
  form.append("Media", new Blob([file.bytes as Uint8Array<ArrayBuffer>], { type: file.type }), name);
  return new Request(url, { ...init, body: form });
}

/** The last exchange of a request: after its redirects, its retries, and the password that was asked for. */
export async function exchange(line: Line, first: ToSend): Promise<FaxExchange> {
  const { tries, statuses } = retriesOf(first.url, line.rules);
  let last = await followRedirects(line, first);
  for (let attempt = 0; attempt < tries && isWorthRepeating(last, statuses); attempt++) {
    last = await followRedirects(line, first);
  }
  return last;
}

/**
 * Twilio repeats once, when the connection failed; the fragment of the URL may ask for more. SignalWire repeats status
 * callbacks alone, and does not say whether an `action` is one: nobody may rely on it, so it is not repeated here.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
function retriesOf(url: string, rules: FlavorRules): { tries: number; statuses: boolean } {
  if (rules.signatureHeader !== "x-twilio-signature") return { tries: 0, statuses: false };
  const overrides = new URLSearchParams(new URL(url).hash.slice(1));
  const tries = Number(overrides.get("rc") ?? 1);
  return {
    tries: Math.min(5, Number.isInteger(tries) ? tries : 1),
    statuses: /all|5xx/.test(overrides.get("rp") ?? ""),
  };
}

function isWorthRepeating({ response, error }: FaxExchange, statuses: boolean): boolean {
  if (response === undefined) return error?.code === NO_CONNECTION;
  return statuses && response.status >= 500;
}

const NO_CONNECTION = 11205;

async function followRedirects(line: Line, first: ToSend): Promise<FaxExchange> {
  let next: ToSend | undefined = first;
  let last: FaxExchange | undefined;
  for (let hops = 0; next !== undefined; hops++) {
    if (hops > line.rules.maxRedirects)
      return failed(line, last!, 11215, "Redirect less: there were too many redirects.");
    last = await withPassword(line, next);
    next = targetOf(last, next);
  }
  return last!;
}

/** 301, 302 and 303 make a GET of a POST, whose parameters move into the query. */
function targetOf({ response }: FaxExchange, sent: ToSend): ToSend | undefined {
  const location = response?.headers["location"];
  if (location === undefined || !URL.canParse(location, sent.url)) return undefined;
  if (![301, 302, 303, 307, 308].includes(response!.status)) return undefined;
  const { href: url, protocol } = new URL(location, sent.url);
  if (protocol !== "http:" && protocol !== "https:") return undefined;
  // The query of a GET is the target's own: its parameters stand there already.
  if (sent.method === "GET") return { method: "GET", url, params: {} };
  if (response!.status >= 307) return { ...sent, url };
  return { method: "GET", url, params: sent.params };
}

/** The password of the URL is sent only when it is asked for. */
async function withPassword(line: Line, toSend: ToSend): Promise<FaxExchange> {
  const first = await once(line, signed(toSend, line));
  const { username, password } = new URL(toSend.url);
  const asks = /^basic\b/i.test(first.response?.headers["www-authenticate"] ?? "");
  if (first.response?.status !== 401 || !asks || !username || !isDecodable(username + password)) return first;
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  const request = signed(toSend, line);
  return once(line, { ...request, headers: { ...request.headers, authorization } });
}

/** Whether `btoa` can carry it, once it is decoded. */
function isDecodable(text: string): boolean {
  return /^(?:[^%]|%[0-7][\da-f])*$/i.test(text);
}

/** One request, with the cookies of the conversation; never rejects. */
export async function once(line: Line, request: SentRequest): Promise<FaxExchange> {
  const { host } = new URL(request.url);
  const own = [...line.cookies].filter(([name]) => name.startsWith(`${host} `));
  const cookie = own.map(([name, value]) => `${name.slice(host.length + 1)}=${value}`).join("; ");
  const sent = cookie ? { ...request, headers: { ...request.headers, cookie } } : request;
  const start = performance.now();
  const made: FaxExchange = { ...(await attempt(line, sent)), ms: Math.round(performance.now() - start) };
  line.exchanges.push(made);
  for (const each of made.response?.cookies ?? []) keepCookie(line.cookies, host, each);
  return made;
}

type Attempt = Omit<FaxExchange, "ms">;

async function attempt(line: Line, request: SentRequest): Promise<Attempt> {
  const controller = new AbortController();
  const ms = Math.max(0, Math.min(line.rules.readMs, line.deadline - performance.now()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Attempt>((resolve) => {
    const message = `Answer sooner: nothing came within ${Math.round(ms)} ms.`;
    timer = setTimeout(() => resolve({ request, error: { code: 11200, message } }), ms);
  });
  try {
    return await Promise.race([late, answerOf(line, request, controller.signal)]);
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
}

async function answerOf(line: Line, request: SentRequest, signal: AbortSignal): Promise<Attempt> {
  try {
    const response = (await line.fetch(platformRequest(request, signal))) as Response;
    const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie"));
    const cookies = response.headers.getSetCookie();
    const body = await bodyOf(response, line.deadline);
    return { request, response: { status: response.status, headers, cookies, body } };
  } catch (error) {
    const thrown = error instanceof Error ? error.message.slice(0, 200) : quote(error);
    const message = `Look at the server: it gave no answer (${thrown}).`;
    return { request, error: { code: NO_CONNECTION, message } };
  }
}

/** A little more than a provider takes: an endless body must not keep a test from its end. */
const MAX_BODY = 128 * 1024;

async function bodyOf(response: Response, deadline: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY || performance.now() > deadline) break;
  }
  return new TextDecoder().decode(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Name and value until they expire; who tests one server needs no more of RFC 6265. */
function keepCookie(cookies: Map<string, string>, host: string, header: string): void {
  const [pair, ...attributes] = header.split(";").map((part) => part.trim());
  const [name, ...value] = pair!.split("=");
  const maxAge = attributes.find((each) => /^max-age=/i.test(each))?.slice(8);
  const expires = attributes.find((each) => /^expires=/i.test(each))?.slice(8);
  const isOver =
    maxAge === undefined ? expires !== undefined && Date.parse(expires) <= Date.now() : Number(maxAge) <= 0;
  if (isOver) cookies.delete(`${host} ${name}`);
  else cookies.set(`${host} ${name}`, value.join("="));
}

/** The exchange, with the error that the provider logs; it stands in the transcript in place of the one before. */
export function failed(line: Line, made: FaxExchange, code: number, message: string): FaxExchange {
  const withError = { ...made, error: { code, message } };
  const at = line.exchanges.indexOf(made);
  if (at >= 0) line.exchanges[at] = withError;
  return withError;
}
