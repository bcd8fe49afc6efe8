/** The webhook and its handlers. */
import { mkdir, writeFile } from "node:fs/promises";
import { Injectable } from "@nestjs/common";
import { type FaxCallback, type FaxRequest, receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

@Injectable()
export class Faxes {
  readonly webhook = faxWebhook({
    authToken: process.env.FAX_AUTH_TOKEN,
    publicUrl: process.env.PUBLIC_URL,
    onFax: (fax) => this.decide(fax),
    onCallback: deduplicate((callback) => this.save(callback)),
  });

  private decide(fax: FaxRequest) {
    return fax.from === "+15005550006" ? reject() : receive();
  }

  private async save(callback: FaxCallback) {
    console.log(`fax ${callback.faxSid}: ${callback.faxStatus}`);
    if (callback.faxStatus !== "received") return;
    const { MEDIA_HOSTS = "" } = process.env;
    const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
    const pages = await fetchMedia(callback, { hosts });
    await mkdir("faxes", { recursive: true });
    await writeFile(`faxes/${pages.name}`, new Uint8Array(await pages.arrayBuffer()));
    console.log(`saved faxes/${pages.name}`);
  }
}
