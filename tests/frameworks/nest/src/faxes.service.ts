/** What the application does with faxes. */
import { Injectable } from "@nestjs/common";
import { type FaxCallback, type FaxRequest, receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

@Injectable()
export class Faxes {
  readonly webhook = faxWebhook({
    authToken: process.env.SIGNALWIRE_SIGNING_KEY,
    publicUrl: process.env.PUBLIC_URL,
    onFax: (fax) => this.decide(fax),
    onCallback: (callback) => this.told(callback),
  });

  private decide(fax: FaxRequest) {
    return fax.from === "+15005550006" ? reject() : receive({ action: "fax" });
  }

  private told(callback: FaxCallback) {
    if (callback.numPages === 0) throw new Error("The disk is full: secret-detail");
    console.log("told", callback.faxSid, callback.faxStatus);
  }
}
