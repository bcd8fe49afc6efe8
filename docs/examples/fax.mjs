import { mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { receive, reject } from "twiml-fax";
import { faxWebhook, fetchMedia } from "twiml-fax/webhook";

mkdirSync("faxes", { recursive: true });

export const webhook = faxWebhook({
  authToken: process.env.FAX_AUTH_TOKEN, // SignalWire: the signing key (PSK_…). Twilio: the auth token.
  publicUrl: process.env.PUBLIC_URL, // The URL that the provider calls. At your desk it is not needed.
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: "fax" })), // relative: this same URL
  onCallback(callback) {
    const { faxSid, faxStatus, errorMessage } = callback;
    if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
    // Not awaited, because the provider waits only seconds. Caught, because an unhandled rejection ends the process.
    save(callback).catch((error) => console.error(`NOT SAVED: ${faxSid}`, error));
  },
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const pages = await fetchMedia(callback, { hosts: process.env.MEDIA_HOSTS?.split(",") });
  await writeFile(`faxes/${pages.name}`, Buffer.from(await pages.arrayBuffer()), { flag: "wx" });
  console.log(`saved faxes/${pages.name}`);
}
