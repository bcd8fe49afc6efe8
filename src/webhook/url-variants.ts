/** The URLs that are tried for a signature: the candidates of a request, their variants, and the URLs for a log. */
import { isPromise, optionError, redactUrl } from "../shared/messages.js";
import { isSafeHttpUrl } from "../shared/values.js";
import { CALLBACK_PARAM_NAMES, COMMON_PARAM_NAMES } from "../params/fax.js";
import { REQUEST_URL, type WebhookRequest } from "./http.js";

/** The parts of a public URL. */
export interface PublicUrlParts {
  /** Without query, fragment and trailing slashes. */
  readonly base: string;
  /** Without query and fragment. */
  readonly url: string;
  /** With its `?`, or empty. */
  readonly query: string;
  /** With its `#`, or empty. */
  readonly hash: string;
}

/** The checked option `publicUrl`. */
export type PublicUrlSource = PublicUrlParts | ((request: WebhookRequest) => unknown) | undefined;

/** The URLs that the provider may have requested, without their variants. */
export function candidateUrls(request: WebhookRequest, publicUrl: PublicUrlSource): string[] {
  const [, origin, ownHost, pathname = "", query = ""] = REQUEST_URL.exec(request.url)!;
  const path = pathname + query;
  if (publicUrl !== undefined) {
    const parts = typeof publicUrl === "function" ? parsePublicUrlResult(publicUrl(request)) : publicUrl;
    if (parts === undefined) return [];
    // publicUrl may be the beginning of the URL, or the whole URL.
    const first = parts.base + path + parts.hash;
    const whole = parts.url + query + parts.hash;
    const urls = first === whole ? [first] : [first, whole];
    // Providers may send the query in another order, but sign it as configured.
    if (query !== parts.query && hasSameParams(query, parts.query)) urls.push(parts.url + parts.query + parts.hash);
    return urls;
  }
  // In Next.js, the URL of every request has the host localhost. Only the Host header has the public host.
  const hosts = new Set([origin && ownHost, request.headers["host"] ?? request.headers[":authority"]]);
  return [...hosts].filter(isHost).flatMap((host) => [`https://${host}${path}`, `http://${host}${path}`]);
}

/** Whether two queries have the same parameters. The values of a repeated name must be in the same order. */
function hasSameParams(query: string, configured: string): boolean {
  if (configured === "" || query.length > MAX_REENCODED_QUERY) return false;
  return sortQuery(query) === sortQuery(configured);
}

function sortQuery(query: string): string {
  const params = new URLSearchParams(query);
  params.sort();
  return params.toString();
}

/** The path and query of a URL, which may be absolute. */
export function getPath(url: string): string {
  const [, , , path = "", query = ""] = REQUEST_URL.exec(url)!;
  return path + query;
}

/** The parameters that providers add to the URL of a GET. */
const PROVIDER_PARAMS = [...COMMON_PARAM_NAMES, ...CALLBACK_PARAM_NAMES, "ErrorUrl"];

/**
 * The `action` that sends the callback to the URL of this request: its path, and its query without the provider's
 * parameters.
 *
 * @param verifiedUrl the URL that was signed; `undefined` if requests are not verified, so that the client chose it
 */
export function createAction(
  request: WebhookRequest,
  publicUrl: PublicUrlSource,
  verifiedUrl: string | undefined,
): string {
  const { origin, pathname, search } = parseOrLocal(verifiedUrl ?? candidateUrls(request, publicUrl)[0], request);
  const query = search.slice(1).split("&").filter(isOwnPair).join("&");
  // A reference that starts with "//" names a host. Of an unverified request, it must stay a path of this host.
  const start = !pathname.startsWith("//") ? "" : verifiedUrl === undefined ? "/." : origin;
  return start + pathname + (query && `?${query}`);
}

/** The parsed URL, or that of the request at localhost if there is no valid one. */
function parseOrLocal(url: string | undefined, request: WebhookRequest): URL {
  try {
    return new URL(url!);
  } catch {
    return new URL("http://localhost/" + getPath(request.url).replace(/^\//, ""));
  }
}

function isOwnPair(pair: string): boolean {
  const [name] = new URLSearchParams(pair).keys();
  return name !== undefined && !PROVIDER_PARAMS.includes(name);
}

/** The characters of a host. Any others in a Host header could move the request to another path. */
const HOST = /^[^\s/?#@\\]+$/;

/** Whether the value of a header is a host. */
export function isHost(host: string | undefined): host is string {
  return host !== undefined && HOST.test(host);
}

/** Returns the parts of `publicUrl`. Throws a TypeError if it is not an http(s) URL. */
export function parsePublicUrl(publicUrl: unknown): PublicUrlParts {
  const text = readUrlText(publicUrl);
  if (isPublicUrl(text)) return splitPublicUrl(text);
  const expected = 'the http(s) URL configured at the provider, or its beginning, such as "https://fax.example.com"';
  throw optionError("publicUrl", expected, text ?? publicUrl);
}

/** The parts of a function's result, or `undefined` if it is invalid: the function may return any client's header. */
function parsePublicUrlResult(publicUrl: unknown): PublicUrlParts | undefined {
  // The hint reports the promise. Its rejection, without a handler, would end the process.
  if (isPromise(publicUrl)) publicUrl.then(undefined, () => {});
  const text = readUrlText(publicUrl);
  return isPublicUrl(text) ? splitPublicUrl(text) : undefined;
}

function readUrlText(publicUrl: unknown): unknown {
  return Object(publicUrl) === publicUrl ? (publicUrl as { href?: unknown }).href : publicUrl;
}

function isPublicUrl(text: unknown): text is string {
  if (typeof text !== "string" || !isSafeHttpUrl(text) || /\s/.test(text)) return false;
  // An "@" after "?" or "#" usually ends a password that contains one of them.
  const end = text.search(/[?#]/);
  return end < 0 || !text.includes("@", end);
}

function splitPublicUrl(text: string): PublicUrlParts {
  const [, origin = "", , path = "", query = "", hash = ""] = REQUEST_URL.exec(text)!;
  const url = origin + path;
  return { base: trimTrailingSlashes(url), url, query, hash };
}

/** Removes trailing slashes. A pattern would take quadratic time for a long run of slashes before other text. */
export function trimTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

/** Groups: scheme, user:password, host, port, path, query, fragment. A URL parser would normalize them. */
const URL_PARTS = /^(https?:)\/\/(?:([^/?#]*)@)?([^/?#@]*?)(:\d*)?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/is;

/** The variants of `url` that may have been signed, including `url`; `reencode` adds other encodings of its query. */
export function urlVariants(url: string, { reencode }: { readonly reencode: boolean }): string[] {
  const parts = URL_PARTS.exec(url);
  if (!parts) return [url];
  const [, scheme, user, host, port = "", path = "", query = "", fragment = ""] = parts;
  const standard = scheme!.toLowerCase() === "https:" ? ":443" : ":80";
  // Twilio's own validators try the URL with and without a port.
  const ports = port === "" ? ["", standard] : [port, ""];
  const users = user === undefined ? [""] : [user + "@", ""];
  const variants: string[] = [];
  for (const search of reencode ? queryEncodings(query) : [query]) {
    for (const userinfo of users) {
      for (const each of ports) {
        variants.push(`${scheme}//${userinfo}${host}${each}${path}${search}${fragment}`);
        if (fragment) variants.push(`${scheme}//${userinfo}${host}${each}${path}${search}`);
      }
    }
  }
  return variants;
}

/** The maximum length of a signed text for which encodings are tried: each costs a hash. Providers send below 2 KiB. */
export const MAX_REENCODED_TEXT = 8192;

/** The maximum length of a query that is re-encoded. A longer query is an attack, or contains a GET's parameters. */
const MAX_REENCODED_QUERY = 2048;

/** The encodings of a query: as sent, and as frameworks re-encode it. All decode to the same parameters. */
function queryEncodings(query: string): Iterable<string> {
  if (query.length < 2 || query.length > MAX_REENCODED_QUERY) return [query];
  const pairs = [...new URLSearchParams(query)];
  const percent =
    "?" + pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");
  const encodings = [query, percent, percent.replaceAll("%20", "+"), "?" + new URLSearchParams(pairs)];
  return new Set(encodings.flatMap((each) => [each, each.replaceAll("'", "%27"), each.replaceAll("%27", "'")]));
}

/** The maximum number of URLs in a refusal, so that an attacker cannot fill the log. */
const MAX_SHOWN_URLS = 8;

/** The provider's parameters in a URL: of a GET, or of a POST whose URL is that of an earlier GET. */
const PARAM_VALUES = RegExp(`([?&](?:${PROVIDER_PARAMS.join("|")})=)[^&#]*`, "gi");

/** The URLs for `onRefused`: the candidates, then their variants, without the values of the provider's parameters. */
export function redactUrls(urls: readonly string[]): string[] {
  const shown = new Set<string>();
  for (const url of [...urls, ...urls.flatMap((each) => urlVariants(each, { reencode: false }))]) {
    // Phone numbers are personal data.
    if (shown.size < MAX_SHOWN_URLS) shown.add(redactUrl(url.replace(PARAM_VALUES, "$1***")));
  }
  return [...shown];
}
