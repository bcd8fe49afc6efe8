import { webhook } from "./lambda-fax.mjs";

/** @param {import("aws-lambda").APIGatewayProxyEventV2} event */
export async function handler({ requestContext, rawPath, rawQueryString, headers, cookies, body, isBase64Encoded }) {
  const answer = await webhook.handle({
    method: requestContext.http.method,
    url: rawQueryString ? `${rawPath}?${rawQueryString}` : rawPath,
    headers: { ...headers, cookie: cookies },
    body: body && isBase64Encoded ? Buffer.from(body, "base64") : body,
  });
  const { "set-cookie": set = [], ...others } = answer.headers;
  return { statusCode: answer.status, headers: others, cookies: [set].flat(), body: answer.body };
}
