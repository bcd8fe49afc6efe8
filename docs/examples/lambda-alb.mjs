import { webhook } from "./lambda-fax.mjs";

/** @param {import("aws-lambda").ALBEvent} event */
export async function handler({ httpMethod, path, headers, multiValueHeaders, body, isBase64Encoded, ...event }) {
  // The query is not decoded. The target group's setting "multi value headers" selects the names of the fields.
  const pairs = Object.entries(event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {});
  const query = pairs.flatMap(([name, values = []]) => [values].flat().map((value) => `${name}=${value}`)).join("&");
  const answer = await webhook.handle({
    method: httpMethod,
    url: query ? `${path}?${query}` : path,
    headers: multiValueHeaders ?? headers ?? {},
    body: body && isBase64Encoded ? Buffer.from(body, "base64") : body,
  });
  const lists = Object.entries(answer.headers).map(([name, value]) => /** @type {const} */ ([name, [value].flat()]));
  const one = Object.fromEntries(lists.map(([name, [value = ""]]) => [name, value]));
  const all = multiValueHeaders ? { multiValueHeaders: Object.fromEntries(lists) } : { headers: one };
  return { statusCode: answer.status, ...all, body: answer.body, isBase64Encoded: false };
}
