/** The webhook, apart from the route: a route file may export nothing but what Next.js knows. */
import { receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

export const webhook = faxWebhook({
  // A function, because `next build` loads this file, and has no secret.
  authToken: () => process.env.SIGNALWIRE_SIGNING_KEY,
  // Needed in Next.js: the request's own URL says "localhost" there, whatever the Host header is.
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })),
  onCallback(callback) {
    if (callback.numPages === 0) throw new Error("The disk is full: secret-detail");
    console.log("told", callback.faxSid, callback.faxStatus);
  },
});
