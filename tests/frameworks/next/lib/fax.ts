/** The webhook, in its own file because a route file may export only handlers. */
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

export const webhook = faxWebhook({
  // A function, because `next build` loads this file without the secret.
  authToken: () => process.env.SIGNALWIRE_SIGNING_KEY,
  // Needed in Next.js: the host of request.url is "localhost" there, whatever the Host header is.
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback(callback) {
    if (callback.numPages === 0) throw new Error("The disk is full: secret-detail");
    console.log("onCallback", callback.faxSid, callback.faxStatus);
  },
});
