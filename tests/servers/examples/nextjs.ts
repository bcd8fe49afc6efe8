import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN,
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback: (callback) => console.log(callback.faxSid, callback.faxStatus, callback.mediaUrl),
});

export const POST = webhook.fetch;
export const GET = webhook.fetch;
