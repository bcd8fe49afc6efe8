import { mkdir, rename, writeFile } from "node:fs/promises";
import { receive, reject } from "twiml-fax";
import { faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS } = process.env;

export const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN, // SignalWire: the signing key (PSK_…). Twilio: the auth token.
  publicUrl: PUBLIC_URL, // The URL that the provider calls, to the letter. At your desk it is not needed.
  // The provider calls `action` when the pages are in: here the same URL again.
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: PUBLIC_URL ?? "fax" })),
  onCallback(callback) {
    const { faxSid, faxStatus, errorMessage } = callback;
    if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
    // Not awaited, because the provider waits only seconds. Caught, because an unhandled rejection ends the process.
    save(callback).catch((error) => console.error(`NOT SAVED: ${faxSid}`, error));
  },
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const pages = await fetchMedia(callback, { hosts: MEDIA_HOSTS ? MEDIA_HOSTS.split(",") : undefined });
  await mkdir("faxes", { recursive: true });
  await writeFile(`faxes/${pages.name}.part`, Buffer.from(await pages.arrayBuffer()));
  await rename(`faxes/${pages.name}.part`, `faxes/${pages.name}`); // all of the pages, or no file
  console.log(`saved faxes/${pages.name}`);
}
