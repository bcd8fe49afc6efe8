/** The cookies of a conversation (RFC 6265), all of them host-only: no host can set or delete another host's cookie. */

/** A stored cookie. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly host: string;
  readonly path: string;
  readonly secure: boolean;
}

/** About as many as browsers keep per site. Without a limit, thousands of cookies take seconds. */
const MAX_COOKIES_PER_RESPONSE = 50;

/** The `Cookie` header for a request to this URL; no header if no cookie matches. */
export function getCookieHeader(cookies: readonly Cookie[], url: string): Record<string, string> {
  const target = new URL(url);
  const matching = cookies.filter((cookie) => matchesCookie(cookie, target));
  // RFC 6265, section 5.4: longer paths first, then older cookies.
  const pairs = matching.sort((a, b) => b.path.length - a.path.length).map(({ name, value }) => `${name}=${value}`);
  return pairs.length > 0 ? { cookie: pairs.join("; ") } : {};
}

function matchesCookie({ host, path, secure }: Cookie, { hostname, pathname, protocol }: URL): boolean {
  const isSamePath = pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  return hostname === host && isSamePath && (!secure || protocol === "https:");
}

/** Stores the cookies that a response from this URL sets, and deletes the cookies that the response expires. */
export function storeCookies(cookies: Cookie[], url: string, headers: readonly string[]): void {
  const source = new URL(url);
  for (const header of headers.slice(0, MAX_COOKIES_PER_RESPONSE)) storeCookie(cookies, source, header);
}

/** RFC 6265, section 5.3. A new value keeps the position of the cookie. A cookie for another domain is refused. */
function storeCookie(cookies: Cookie[], url: URL, header: string): void {
  const [[name, value], ...rest] = header.split(";").map(splitPair) as [[string, string], ...[string, string][]];
  // Section 5.2.3: an empty Domain is ignored.
  const attributes = new Map(rest.map(([key, text]) => [key.toLowerCase(), text] as const).filter(isUsed));
  if (name === "" || !isOwnDomain(attributes.get("domain"), url.hostname)) return;
  const given = attributes.get("path");
  const path = given?.startsWith("/") ? given : url.pathname.slice(0, url.pathname.lastIndexOf("/")) || "/";
  const cookie = { name, value, host: url.hostname, path, secure: attributes.has("secure") };
  const at = cookies.findIndex((each) => each.name === name && each.host === cookie.host && each.path === path);
  if (!isExpired(attributes)) cookies.splice(at < 0 ? cookies.length : at, 1, cookie);
  else if (at >= 0) cookies.splice(at, 1);
}

function isUsed([name, value]: readonly [string, string]): boolean {
  return name !== "domain" || value !== "";
}

/** Splits at the first `=`. The first part, the cookie itself, has no name without one (section 5.2). */
function splitPair(part: string, index: number): [string, string] {
  const at = part.indexOf("=");
  if (at < 0) return [index === 0 ? "" : part.trim(), ""];
  return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}

/** Section 5.1.3: the host, or a domain that contains it. No domain contains an IP address. */
function isOwnDomain(attribute: string | undefined, hostname: string): boolean {
  if (attribute === undefined) return true;
  const domain = attribute.replace(/^\./, "").toLowerCase();
  if (hostname === domain || hostname === `[${domain}]`) return true;
  return hostname.endsWith(`.${domain}`) && !/^[\d.]+$/.test(hostname);
}

/** Section 5.2.2: Max-Age has precedence over Expires, unless it is not an integer. */
function isExpired(attributes: ReadonlyMap<string, string>): boolean {
  const maxAge = attributes.get("max-age") ?? "";
  if (/^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  return parseCookieDate(attributes.get("expires") ?? "") <= Date.now();
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Milliseconds since 1970, or NaN. Section 5.1.1: time, day, month and year in any order, between any delimiters. */
function parseCookieDate(text: string): number {
  const tokens = text.toLowerCase().split(/[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+/);
  const take = (pattern: RegExp): string => {
    const at = tokens.findIndex((token) => pattern.test(token));
    return at < 0 ? "" : tokens.splice(at, 1)[0]!;
  };
  const [hour, minute, second] = take(/^\d{1,2}:\d{1,2}:\d{1,2}(?!\d)/)
    .split(":")
    .map(parseDigits);
  const day = parseDigits(take(/^\d{1,2}(?!\d)/));
  const month = MONTHS.indexOf(take(new RegExp(`^(${MONTHS.join("|")})`)).slice(0, 3));
  const year = parseDigits(take(/^\d{2,4}(?!\d)/));
  if (month < 0) return NaN;
  return Date.UTC(year < 70 ? year + 2000 : year < 100 ? year + 1900 : year, month, day, hour, minute, second);
}

/** The integer at the beginning. A function, because `map(parseInt)` would pass the index as the radix. */
function parseDigits(text: string): number {
  return Number.parseInt(text, 10);
}
