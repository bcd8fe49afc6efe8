import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS = "" } = process.env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const blocked = new Set(["+15005550006"]);

export const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN, // SignalWire: the signing key (PSK_…). Twilio: the auth token.
  publicUrl: PUBLIC_URL, // The URL configured at the provider. Not needed for local tests.
  onFax: (fax) => (blocked.has(fax.from) ? reject() : receive()),
  onCallback: deduplicate(save), // The provider gets its 200 after save has finished.
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const { faxSid, faxStatus, errorMessage } = callback;
  console.log(`fax ${faxSid}: ${faxStatus}`); // First, because the faxSid finds the fax at the provider.
  if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
  const pages = await fetchMedia(callback, { hosts });
  await mkdir("faxes", { recursive: true });
  const temporary = `faxes/${faxSid}.${randomUUID()}.part`;
  await writeFile(temporary, Buffer.from(await pages.arrayBuffer()), { flush: true });
  await rename(temporary, `faxes/${pages.name}`); // The file has all pages, or does not exist.
  console.log(`saved faxes/${pages.name}`);
}
