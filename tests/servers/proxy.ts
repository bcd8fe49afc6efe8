/** What stands in front of a server in production: ends TLS, cuts a path prefix off, rewrites the Host header. */
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, request as httpRequest } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { join } from "node:path";
import { close, portOf } from "./listen.js";

const fixture = (name: string) => readFileSync(join(import.meta.dirname, "fixtures", name), "utf8");

/** The throw-away certificate, to be trusted by the client that is meant to reach the proxy. */
export const CERTIFICATE = fixture("throwaway-cert.pem");

export interface Proxy {
  /** As the outside sees it: `https://127.0.0.1:…` or `http://…`. */
  readonly origin: string;
  /** Set once the server behind is up; its origin may depend on the proxy's. */
  target: string;
  close(): Promise<void>;
}

export interface ProxyOptions {
  readonly tls?: boolean;
  /** Requests come with this prefix and go on without it; all others are 404 here. */
  readonly prefix?: string;
  /** The Host header that the server behind sees. Default: as it came. */
  readonly host?: string;
}

export async function startProxy({ tls = false, prefix = "", host }: ProxyOptions): Promise<Proxy> {
  const forward: RequestListener = (req, res) => {
    const url = req.url ?? "/";
    if (!url.startsWith(`${prefix}/`)) return void res.writeHead(404).end();
    const headers = {
      ...req.headers,
      ...(host && { host }),
      "x-forwarded-proto": tls ? "https" : "http",
      "x-forwarded-host": req.headers.host ?? "",
    };
    const { hostname, port } = new URL(proxy.target);
    const onward = httpRequest({
      hostname,
      port,
      path: url.slice(prefix.length),
      method: req.method,
      headers,
      agent: false,
    });
    onward.on("response", (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    onward.on("error", () => (res.headersSent ? res.destroy() : res.writeHead(502).end()));
    req.pipe(onward);
  };
  const server = tls
    ? createTlsServer({ key: fixture("throwaway-key.pem"), cert: CERTIFICATE }, forward)
    : createServer(forward);
  const port = await portOf(server.listen(0, "127.0.0.1"));
  const proxy: Proxy = {
    origin: `${tls ? "https" : "http"}://127.0.0.1:${port}`,
    target: "",
    close: () => close(server),
  };
  return proxy;
}
