// Keeps cookies per pair of phone numbers until four hours of inactivity (protocol section 4).

export const COOKIE_LIFETIME_MS = 4 * 60 * 60 * 1000;

interface Cookie {
  name: string;
  value: string;
  domain: string;
  hostOnly: boolean;
  path: string;
  secure: boolean;
  expires: number;
}

export class CookieJar {
  #now: () => number;
  #pairs = new Map<string, { lastUsed: number; cookies: Map<string, Cookie> }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The Cookie header for a request of this pair, or undefined. */
  header(pair: string, url: URL): string | undefined {
    const now = this.#now();
    // RFC 6265 section 5.4: the longer path first, then the older cookie.
    const fitting = [...this.#cookiesOf(pair).values()]
      .filter((cookie) => cookie.expires > now && fits(cookie, url))
      .sort((a, b) => b.path.length - a.path.length);
    return fitting.map(({ name, value }) => `${name}=${value}`).join("; ") || undefined;
  }

  store(pair: string, url: URL, setCookies: readonly string[]): void {
    const cookies = this.#cookiesOf(pair);
    for (const line of setCookies) {
      const cookie = readCookie(line, url, this.#now());
      if (!cookie) continue;
      const key = JSON.stringify([cookie.name, cookie.domain, cookie.path]);
      if (cookie.expires > this.#now()) cookies.set(key, cookie);
      else cookies.delete(key);
    }
  }

  /** Every use counts as activity, a request that has no cookie to send included. */
  #cookiesOf(pair: string): Map<string, Cookie> {
    const now = this.#now();
    const known = this.#pairs.get(pair);
    const fresh = known !== undefined && now - known.lastUsed < COOKIE_LIFETIME_MS;
    const cookies = fresh ? known.cookies : new Map<string, Cookie>();
    this.#pairs.set(pair, { lastUsed: now, cookies });
    return cookies;
  }
}

function fits(cookie: Cookie, url: URL): boolean {
  const host = url.hostname;
  const domainFits = host === cookie.domain || (!cookie.hostOnly && host.endsWith(`.${cookie.domain}`));
  const folder = cookie.path.endsWith("/") ? cookie.path : `${cookie.path}/`;
  const pathFits = url.pathname === cookie.path || url.pathname.startsWith(folder);
  return domainFits && pathFits && (!cookie.secure || url.protocol === "https:");
}

/** RFC 6265 section 5.2 and 5.3; undefined for a line that a browser would ignore as well. */
function readCookie(line: string, url: URL, now: number): Cookie | undefined {
  const [pair = "", ...rest] = line.split(";");
  const split = pair.indexOf("=");
  const name = pair.slice(0, Math.max(split, 0)).trim();
  if (name === "") return undefined;
  const attributes = new Map<string, string>();
  for (const part of rest) {
    const at = part.indexOf("=");
    const key = at < 0 ? part : part.slice(0, at);
    attributes.set(key.trim().toLowerCase(), at < 0 ? "" : part.slice(at + 1).trim());
  }
  const domain = attributes.get("domain")?.replace(/^\./, "").toLowerCase() ?? "";
  if (domain !== "" && url.hostname !== domain && !url.hostname.endsWith(`.${domain}`)) return undefined;
  const path = attributes.get("path");
  const maxAge = Number(attributes.get("max-age") || Number.NaN);
  const date = Date.parse(attributes.get("expires") ?? "");
  const byDate = Number.isNaN(date) ? Infinity : date;
  return {
    name,
    value: pair.slice(split + 1).trim(),
    domain: domain || url.hostname,
    hostOnly: domain === "",
    path: path?.startsWith("/") ? path : url.pathname.slice(0, url.pathname.lastIndexOf("/")) || "/",
    secure: attributes.has("secure"),
    expires: Number.isNaN(maxAge) ? byDate : now + maxAge * 1000,
  };
}
