import { webhook } from "./lambda-fax.mjs";

/** @param {import("aws-lambda").APIGatewayProxyEvent} event */
export async function handler({ requestContext, multiValueQueryStringParameters, multiValueHeaders, ...event }) {
  const pairs = Object.entries(multiValueQueryStringParameters ?? {});
  const query = new URLSearchParams(pairs.flatMap(([name, values = []]) => values.map((value) => [name, value])));
  const { path } = requestContext; // with its stage, as the provider calls it
  const answer = await webhook.handle({
    method: event.httpMethod,
    url: query.size > 0 ? `${path}?${query}` : path,
    headers: multiValueHeaders,
    body: event.body && event.isBase64Encoded ? Buffer.from(event.body, "base64") : event.body,
  });
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat()]);
  return { statusCode: answer.status, multiValueHeaders: Object.fromEntries(headers), body: answer.body };
}
