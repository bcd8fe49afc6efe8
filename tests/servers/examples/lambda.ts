import type { APIGatewayProxyStructuredResultV2, LambdaFunctionURLEvent } from "aws-lambda";
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN,
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
});

export async function handler(event: LambdaFunctionURLEvent): Promise<APIGatewayProxyStructuredResultV2> {
  const { status, headers, body } = await webhook.handle({
    method: event.requestContext.http.method,
    url: event.rawPath + (event.rawQueryString && `?${event.rawQueryString}`),
    headers: { ...event.headers, cookie: event.cookies },
    body: event.body && Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8"),
  });
  const { "set-cookie": cookies = [], ...others } = headers;
  return { statusCode: status, headers: others as Record<string, string>, cookies: [cookies].flat(), body };
}
