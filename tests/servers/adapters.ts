/** What the platforms do around a handler: Next.js with a route file, Workers, AWS Lambda behind each kind of URL. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  LambdaFunctionURLEvent,
} from "aws-lambda";

type RouteHandler = (request: Request) => Promise<Response>;

/** A route file's exports under `path`. Like Next.js: GET answers HEAD, other methods are 405 without a handler. */
export function nextServer(route: { GET: RouteHandler; POST: RouteHandler }, path: string): Server {
  return createServer(async (req, res) => {
    try {
      const request = webRequest(req);
      const method = req.method === "HEAD" ? "GET" : req.method;
      if (new URL(request.url).pathname !== path) return void res.writeHead(404).end();
      if (method !== "GET" && method !== "POST") return void res.writeHead(405, { allow: "GET, HEAD, POST" }).end();
      await send(await route[method](request), res);
    } catch (error) {
      console.error(error);
      res.writeHead(500).end("Internal Server Error");
    }
  });
}

/** Whoever serves a function of a `Request`: Bun, Deno, Workers. */
export function fetchServer(handler: RouteHandler): Server {
  const server = createServer(async (req, res) => {
    try {
      await send(await handler(webRequest(req)), res);
    } catch (error) {
      console.error(error);
      res.writeHead(500).end("Internal Server Error");
    }
  });
  return server.listen(0, "127.0.0.1");
}

function webRequest(req: IncomingMessage): Request {
  const { method = "GET", url = "/", headersDistinct } = req;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(headersDistinct))
    for (const value of values) headers.append(name, value);
  const body = method === "GET" || method === "HEAD" ? null : (Readable.toWeb(req) as ReadableStream<Uint8Array>);
  return new Request(`http://${req.headers.host}${url}`, { method, headers, body, duplex: "half" } as RequestInit);
}

async function send(response: Response, res: ServerResponse): Promise<void> {
  res.statusCode = response.status;
  for (const [name, value] of response.headers) res.appendHeader(name, value);
  res.end(Buffer.from(await response.arrayBuffer()));
}

type LambdaHandler = (event: LambdaFunctionURLEvent) => Promise<APIGatewayProxyStructuredResultV2>;

/** Which bodies reach the function in Base64: every form by a function URL, binary types only by an API gateway. */
export type Base64 = "always" | "binary";

/**
 * A function URL, payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html. Lower-case
 * header names, repeated ones joined by commas, cookies in a list of their own, the body as text or Base64.
 */
export function lambdaServer(handler: LambdaHandler, base64: Base64): Server {
  return createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const answer = await handler(lambdaEvent(req, Buffer.concat(chunks), base64));
      res.statusCode = answer.statusCode ?? 200;
      for (const [name, value] of Object.entries(answer.headers ?? {})) {
        // The gateway takes no lists here; cookies have their own.
        if (typeof value === "object") throw new TypeError(`Header ${name} is not text.`);
        res.setHeader(name, String(value));
      }
      if (answer.cookies?.length) res.setHeader("set-cookie", answer.cookies);
      res.end(answer.isBase64Encoded ? Buffer.from(answer.body ?? "", "base64") : (answer.body ?? ""));
    } catch (error) {
      console.error(error);
      if (!res.headersSent)
        res.writeHead(502, { "content-type": "application/json" }).end('{"message":"Internal Server Error"}');
    }
  });
}

export function lambdaEvent(req: IncomingMessage, body: Buffer, base64: Base64): LambdaFunctionURLEvent {
  const [rawPath = "/", rawQueryString = ""] = (req.url ?? "/").split(/\?(.*)/s);
  const { cookie, ...distinct } = req.headersDistinct;
  const headers = Object.fromEntries(Object.entries(distinct).map(([name, values]) => [name, values?.join(",")]));
  const query = [...new URLSearchParams(rawQueryString)];
  const binary =
    base64 === "always" ||
    !/^(text\/|application\/(json|xml|javascript|x-www-form-urlencoded))/.test(headers["content-type"] ?? "");
  const now = new Date();
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookie && { cookies: cookie.flatMap((line) => line.split(/; */)) }),
    headers,
    ...(query.length > 0 && { queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      accountId: "anonymous",
      apiId: "abcdefghij",
      domainName: headers["host"] ?? "",
      domainPrefix: "abcdefghij",
      http: {
        method: req.method ?? "GET",
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: "192.0.2.1",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
      routeKey: "$default",
      stage: "$default",
      time: now.toUTCString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 && { body: body.toString(binary ? "base64" : "utf8") }),
    isBase64Encoded: body.length > 0 && binary,
  };
}

type RestHandler = (event: APIGatewayProxyEvent) => Promise<APIGatewayProxyResult>;

/**
 * A REST API, payload format 1.0, at its stage:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html. Names of headers
 * as they came, the query decoded, and `path` without the stage.
 */
export function restServer(handler: RestHandler): Server {
  return createServer(async (req, res) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
      const answer = await handler(restEvent(req, Buffer.concat(chunks)) as APIGatewayProxyEvent);
      res.statusCode = answer.statusCode;
      for (const [name, values] of Object.entries(answer.multiValueHeaders ?? {})) {
        res.setHeader(name, (values as string[]).map(String));
      }
      res.end(answer.body);
    } catch (error) {
      console.error(error);
      res.writeHead(502, { "content-type": "application/json" }).end('{"message":"Internal Server Error"}');
    }
  });
}

function restEvent(req: IncomingMessage, body: Buffer): Partial<APIGatewayProxyEvent> {
  const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
  const names = [...new Set(searchParams.keys())];
  const query = names.length > 0 ? Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])) : null;
  const isBinary = /^multipart\//.test(req.headers["content-type"] ?? "");
  return {
    httpMethod: req.method ?? "GET",
    path: pathname.replace(/^\/prod(?=\/)/, ""),
    requestContext: { path: pathname, stage: "prod" } as APIGatewayProxyEvent["requestContext"],
    multiValueQueryStringParameters: query,
    multiValueHeaders: Object.fromEntries(
      Object.entries(req.headersDistinct).map(([name, values]) => [name.replace(/^./, (a) => a.toUpperCase()), values]),
    ),
    body: body.length > 0 ? body.toString(isBinary ? "base64" : "utf8") : null,
    isBase64Encoded: body.length > 0 && isBinary,
  };
}
