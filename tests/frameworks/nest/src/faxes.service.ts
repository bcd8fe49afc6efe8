/** The webhook and its handlers. */
import { Injectable } from "@nestjs/common";
import { type FaxCallback, type FaxRequest, receive, reject } from "twiml-fax";
import { faxWebhook } from "twiml-fax/webhook";

@Injectable()
export class Faxes {
  readonly webhook = faxWebhook({
    authToken: process.env.SIGNALWIRE_SIGNING_KEY,
    publicUrl: process.env.PUBLIC_URL,
    onFax: (fax) => this.decide(fax),
    onCallback: (callback) => this.log(callback),
  });

  private decide(fax: FaxRequest) {
    return fax.from === "+15005550006" ? reject() : receive({ action: "fax" });
  }

  private log(callback: FaxCallback) {
    if (callback.numPages === 0) throw new Error("The disk is full: secret-detail");
    console.log("onCallback", callback.faxSid, callback.faxStatus);
  }
}
