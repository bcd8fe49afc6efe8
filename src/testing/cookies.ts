/** The cookies of a conversation, stored and sent back according to RFC 6265. */

/** A stored cookie (RFC 6265, section 5.3). */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
}

/** The `Cookie` header for a request to this URL; no header if no cookie matches. */
export function getCookieHeader(cookies: readonly Cookie[], url: string): Record<string, string> {
  const matching = cookies.filter((cookie) => matchesCookie(cookie, new URL(url)));
  // RFC 6265, section 5.4: longer paths first, then older cookies.
  const pairs = matching.sort((a, b) => b.path.length - a.path.length).map(({ name, value }) => `${name}=${value}`);
  return pairs.length > 0 ? { cookie: pairs.join("; ") } : {};
}

function matchesCookie(cookie: Cookie, url: URL): boolean {
  const { path, secure } = cookie;
  const isSamePath = url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  return matchesDomain(cookie, url) && isSamePath && (!secure || url.protocol === "https:");
}

function matchesDomain({ domain, hostOnly }: Cookie, { hostname }: URL): boolean {
  return hostname === domain || (!hostOnly && hostname.endsWith(`.${domain}`));
}

/** The beginning of a header with the name of a cookie. RFC 6265, section 5.2: other headers are ignored. */
const COOKIE_NAME = /^\s*[^=;\s][^=;]*=/;

/** Stores the cookies that a response from this URL sets, and deletes those that it expires. */
export function storeCookies(cookies: Cookie[], url: string, headers: readonly string[]): void {
  for (const header of headers.filter((each) => COOKIE_NAME.test(each))) {
    const { cookie, isExpired } = parseCookie(header, new URL(url));
    const at = cookies.findIndex((each) => cookieId(each) === cookieId(cookie));
    if (at >= 0) cookies.splice(at, 1);
    if (!isExpired && matchesDomain(cookie, new URL(url))) cookies.push(cookie);
  }
}

function cookieId({ name, domain, path }: Cookie): string {
  return JSON.stringify([name, domain, path]);
}

/** Parses a `Set-Cookie` header (RFC 6265, sections 5.2 and 5.3). */
function parseCookie(header: string, url: URL): { cookie: Cookie; isExpired: boolean } {
  const [[name, value], ...rest] = header.split(";").map(splitPair) as [[string, string], ...[string, string][]];
  const attributes = new Map(rest.map(([name, value]) => [name.toLowerCase(), value]));
  const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase() ?? "";
  const path = attributes.get("path");
  const maxAge = attributes.get("max-age");
  const cookie = {
    name,
    value,
    domain: domain || url.hostname,
    hostOnly: domain === "",
    path: path?.startsWith("/") ? path : url.pathname.slice(0, url.pathname.lastIndexOf("/")) || "/",
    secure: attributes.has("secure"),
  };
  const isExpired = maxAge ? Number(maxAge) <= 0 : Number(new Date(attributes.get("expires") ?? NaN)) <= Date.now();
  return { cookie, isExpired };
}

/** Splits at the first `=`. Without `=`, the value is empty. */
function splitPair(part: string): [string, string] {
  const [name, ...value] = part.split("=");
  return [name!.trim(), value.join("=").trim()];
}
