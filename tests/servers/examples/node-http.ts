import { createServer } from "node:http";
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

const webhook = faxWebhook({
  // Twilio: the account's auth token. SignalWire: the project's signing key.
  authToken: process.env.FAX_AUTH_TOKEN,
  // The origin that the provider sees, such as "https://fax.example.com".
  publicUrl: process.env.PUBLIC_URL,
  onFax(fax) {
    if (fax.from === "+15005550006") return reject();
    return receive({ action: "fax", pageSize: "a4" }); // relative: the callback comes to this very URL
  },
  onCallback(callback) {
    console.log(callback.faxSid, callback.faxStatus, callback.numPages, callback.mediaUrl);
  },
  onRefused(refusal) {
    console.warn(refusal.status, refusal.reason, refusal.urls ?? refusal.error ?? "");
  },
});

export const server = createServer(webhook.node).listen(Number(process.env.PORT ?? 3000));
