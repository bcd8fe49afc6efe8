/** The cookies of a conversation, kept and sent back as RFC 6265 has it. */

/** A cookie with where it belongs. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly domain: string;
  readonly hostOnly: boolean;
  readonly path: string;
  readonly secure: boolean;
}

/** The `Cookie` header for a request to this URL, or nothing. */
export function getCookieHeader(cookies: readonly Cookie[], url: string): Record<string, string> {
  const fitting = cookies.filter((cookie) => matchesCookie(cookie, new URL(url)));
  // RFC 6265, section 5.4: the longer path first, then the older cookie.
  const pairs = fitting.sort((a, b) => b.path.length - a.path.length).map(({ name, value }) => `${name}=${value}`);
  return pairs.length > 0 ? { cookie: pairs.join("; ") } : {};
}

function matchesCookie({ domain, hostOnly, path, secure }: Cookie, { hostname, pathname, protocol }: URL): boolean {
  const isThere = hostname === domain || (!hostOnly && hostname.endsWith(`.${domain}`));
  const isUnder = pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
  return isThere && isUnder && (!secure || protocol === "https:");
}

/** Takes over what an answer of this URL sets, and forgets what it ends. */
export function keepCookies(cookies: Cookie[], url: string, headers: readonly string[]): void {
  for (const header of headers) {
    const { cookie, isOver } = parseCookie(header, new URL(url));
    const at = cookies.findIndex((each) => cookieId(each) === cookieId(cookie));
    if (at >= 0) cookies.splice(at, 1);
    if (cookie.name !== "" && !isOver && matchesCookie({ ...cookie, path: "/", secure: false }, new URL(url))) {
      cookies.push(cookie);
    }
  }
}

function cookieId({ name, domain, path }: Cookie): string {
  return JSON.stringify([name, domain, path]);
}

/** RFC 6265, sections 5.2 and 5.3. */
function parseCookie(header: string, url: URL): { cookie: Cookie; isOver: boolean } {
  const [[name = "", value], ...rest] = header.split(";").map(splitPair) as [[string, string], ...[string, string][]];
  const attributes = new Map(rest.map(([name, value]) => [name.toLowerCase(), value]));
  const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase() ?? "";
  const path = attributes.get("path") ?? "";
  const maxAge = attributes.get("max-age");
  const cookie = {
    ...{ name, value, domain: domain || url.hostname, hostOnly: domain === "", secure: attributes.has("secure") },
    path: path.startsWith("/") ? path : url.pathname.slice(0, url.pathname.lastIndexOf("/")) || "/",
  };
  const isOver = maxAge ? Number(maxAge) <= 0 : Date.parse(attributes.get("expires") ?? "") <= Date.now();
  return { cookie, isOver };
}

/** A pair without its `=` is a name for an attribute, and nothing for a cookie. */
function splitPair(part: string, index: number): [string, string] {
  const at = part.indexOf("=");
  if (at < 0) return index === 0 ? ["", part.trim()] : [part.trim(), ""];
  return [part.slice(0, at).trim(), part.slice(at + 1).trim()];
}
