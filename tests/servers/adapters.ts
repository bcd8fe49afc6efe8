/** The platforms around a handler: Next.js with a route file, Workers, AWS Lambda behind each kind of URL. */
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, type Server } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import express from "express";
import type {
  ALBEvent,
  ALBResult,
  APIGatewayProxyEvent,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  LambdaFunctionURLEvent,
} from "aws-lambda";

type RouteHandler = (request: Request) => Promise<Response>;

interface Answer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Uint8Array;
}

/** A server that sends the result of `handle`, or `status` and `page` if it throws. */
function serve(handle: (req: IncomingMessage) => Promise<Answer>, status: number, page: string): Server {
  const server = createServer(async (req, res) => {
    try {
      const answer = await handle(req);
      res.writeHead(answer.status, answer.headers).end(answer.body);
    } catch (error) {
      console.error(error);
      res.writeHead(status).end(page);
    }
  });
  return server.listen(0, "127.0.0.1");
}

/** Bun, Deno and Workers: a function of a `Request`. */
export function fetchServer(handler: RouteHandler): Server {
  return serve(
    async (req) => {
      const response = await handler(toWebRequest(req));
      const headers = { ...Object.fromEntries(response.headers), "set-cookie": response.headers.getSetCookie() };
      return { status: response.status, headers, body: new Uint8Array(await response.arrayBuffer()) };
    },
    500,
    "Internal Server Error",
  );
}

/** A route file's exports under `path`. Like Next.js: GET answers HEAD, and a method without a handler is a 405. */
export function nextServer(route: { GET: RouteHandler; POST: RouteHandler }, path: string): Server {
  return fetchServer(async (request) => {
    if (new URL(request.url).pathname !== path) return new Response(null, { status: 404 });
    const method = request.method === "HEAD" ? "GET" : request.method;
    if (method === "GET" || method === "POST") return route[method](request);
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD, POST" } });
  });
}

function toWebRequest(req: IncomingMessage): Request {
  const { method = "GET", url = "/", headersDistinct } = req;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct))
    for (const value of values) headers.append(name, value);
  const body = method === "GET" || method === "HEAD" ? null : (Readable.toWeb(req) as ReadableStream<Uint8Array>);
  return new Request(`http://${req.headers.host}${url}`, { method, headers, body, duplex: "half" } as RequestInit);
}

const lambda = <Result>(
  handle: (req: IncomingMessage, body: Buffer) => Promise<Result>,
  read: (result: Result) => Answer,
) => serve(async (req) => read(await handle(req, await buffer(req))), 502, '{"message":"Internal Server Error"}');

type UrlHandler = (event: LambdaFunctionURLEvent) => Promise<APIGatewayProxyStructuredResultV2>;

/** Which bodies are Base64: all (as from a function URL), or only binary types (as from an API gateway). */
export type Base64 = "always" | "binary";

/**
 * A function URL, payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html. Header names
 * are in lower case, repeated headers joined by commas, cookies in their own list, the body is text or Base64.
 */
export function lambdaServer(handler: UrlHandler, base64: Base64): Server {
  const handle = async (req: IncomingMessage, body: Buffer) => handler(toUrlEvent(req, body, base64));
  return lambda(handle, ({ statusCode = 200, headers = {}, cookies = [], body = "", isBase64Encoded }) => {
    // The gateway does not accept lists here; cookies have their own.
    if (Object.values(headers).some((value) => typeof value === "object")) throw new TypeError("A header is not text.");
    const bytes = isBase64Encoded ? Buffer.from(body, "base64") : body;
    return { status: statusCode, headers: { ...headers, "set-cookie": cookies } as OutgoingHttpHeaders, body: bytes };
  });
}

function toUrlEvent(req: IncomingMessage, body: Buffer, base64: Base64): LambdaFunctionURLEvent {
  const [rawPath = "/", rawQueryString = ""] = (req.url ?? "/").split(/\?(.*)/s);
  const { cookie, ...distinct } = req.headersDistinct;
  const headers = Object.fromEntries(Object.entries(distinct).map(([name, values]) => [name, values?.join(",")]));
  const isText = /^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded))/.test(
    headers["content-type"] ?? "",
  );
  const isBase64Encoded = body.length > 0 && (base64 === "always" || !isText);
  return {
    version: "2.0",
    rawPath,
    rawQueryString,
    headers,
    ...(cookie && { cookies: cookie.flatMap((line) => line.split(/; */)) }),
    requestContext: {
      http: { method: req.method ?? "GET", path: rawPath },
    } as LambdaFunctionURLEvent["requestContext"],
    ...(body.length > 0 && { body: body.toString(isBase64Encoded ? "base64" : "utf8") }),
    isBase64Encoded,
  } as LambdaFunctionURLEvent;
}

type RestHandler = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

/**
 * A REST API, payload format 1.0, at its stage:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html. Names of headers
 * are as received, the query is decoded, and `path` has no stage.
 */
export function restServer(handler: RestHandler): Server {
  const handle = async (req: IncomingMessage, body: Buffer) => handler(toRestEvent(req, body));
  return lambda(handle, ({ statusCode, multiValueHeaders = {}, body }) => ({
    status: statusCode,
    headers: multiValueHeaders as OutgoingHttpHeaders,
    body,
  }));
}

function toRestEvent(req: IncomingMessage, body: Buffer): APIGatewayProxyEvent {
  const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
  const names = [...new Set(searchParams.keys())];
  const isBase64Encoded = body.length > 0 && /^multipart\//.test(req.headers["content-type"] ?? "");
  const headers = Object.entries(req.headersDistinct);
  return {
    httpMethod: req.method ?? "GET",
    path: pathname.replace(/^\/prod(?=\/)/, ""),
    requestContext: { path: pathname, stage: "prod" } as APIGatewayProxyEvent["requestContext"],
    multiValueQueryStringParameters:
      names.length > 0 ? Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])) : null,
    multiValueHeaders: Object.fromEntries(
      headers.map(([name, values]) => [name.replace(/^./, (first) => first.toUpperCase()), values]),
    ),
    body: body.length > 0 ? body.toString(isBase64Encoded ? "base64" : "utf8") : null,
    isBase64Encoded,
  } as APIGatewayProxyEvent;
}

type LoadBalancerHandler = (event: ALBEvent) => Promise<ALBResult>;

/**
 * An Application Load Balancer:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html. The query is not decoded.
 * With "multi value headers", headers and query are lists; without it, the last value counts.
 */
export function loadBalancer(handler: LoadBalancerHandler, isMultiValue: boolean): Server {
  const handle = async (req: IncomingMessage, body: Buffer) => handler(toLoadBalancerEvent(req, body, isMultiValue));
  return lambda(handle, ({ statusCode, headers, multiValueHeaders, body = "", isBase64Encoded }) => {
    // A response with the other kind of headers, or without isBase64Encoded, is a 502.
    if (isBase64Encoded !== false) throw new TypeError("isBase64Encoded is required.");
    const sent = isMultiValue ? multiValueHeaders : headers;
    if (sent === undefined) throw new TypeError("The headers are missing.");
    return { status: statusCode, headers: sent as OutgoingHttpHeaders, body };
  });
}

function toLoadBalancerEvent(req: IncomingMessage, body: Buffer, isMultiValue: boolean): ALBEvent {
  const [path = "/", query = ""] = (req.url ?? "/").split(/\?(.*)/s);
  const params: Record<string, string[]> = {};
  for (const pair of query.split("&").filter(Boolean)) {
    const [name = "", value = ""] = pair.split(/=(.*)/s);
    (params[name] ??= []).push(value);
  }
  const headers = Object.entries(req.headersDistinct) as [string, string[]][];
  const one = (lists: [string, string[]][]) => Object.fromEntries(lists.map(([name, values]) => [name, values.at(-1)]));
  const fields = isMultiValue
    ? { multiValueHeaders: Object.fromEntries(headers), multiValueQueryStringParameters: params }
    : { headers: one(headers), queryStringParameters: one(Object.entries(params)) };
  // Forms are not among the types that the load balancer sends as text.
  const isBase64Encoded = !/^(text\/|application\/(json|javascript|xml))/.test(req.headers["content-type"] ?? "text/");
  return {
    httpMethod: req.method ?? "GET",
    path,
    requestContext: { elb: { targetGroupArn: "arn" } },
    ...fields,
    body: body.toString(isBase64Encoded ? "base64" : "utf8"),
    isBase64Encoded,
  };
}

/** Google's functions framework: Express, which parses the body and keeps the bytes in `rawBody`. */
export function googleServer(handler: (req: express.Request, res: express.Response) => unknown): Server {
  const app = express();
  const verify = (req: object, _res: unknown, buffer: Buffer) => void Object.assign(req, { rawBody: buffer });
  app.use(express.urlencoded({ extended: true, verify }));
  app.use(express.raw({ type: "*/*", limit: "1024mb", verify }));
  app.use(handler);
  return app.listen(0, "127.0.0.1");
}
