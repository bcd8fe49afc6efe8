/** The webhook, in its own file: route files may export only handlers. */
import { mkdir, rename, writeFile } from "node:fs/promises";
import { type FaxCallback, receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const blocked = new Set(["+15005550006"]);

export const webhook = faxWebhook({
  // A function, because the build of a framework loads this file without your secrets.
  authToken: () => process.env.FAX_AUTH_TOKEN,
  // Needed behind a proxy, and in Next.js always: the server sees another host than the provider.
  publicUrl: process.env.PUBLIC_URL,
  onFax: (fax) => (blocked.has(fax.from) ? reject() : receive()),
  onCallback: deduplicate(save), // The provider gets its 200 after save has finished.
});

async function save(callback: FaxCallback) {
  const { faxSid, faxStatus, errorMessage } = callback;
  console.log(`fax ${faxSid}: ${faxStatus}`);
  if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
  const { MEDIA_HOSTS = "" } = process.env;
  const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
  const pages = await fetchMedia(callback, { hosts });
  await mkdir("faxes", { recursive: true });
  const temporary = `faxes/${faxSid}.${crypto.randomUUID()}.part`;
  await writeFile(temporary, new Uint8Array(await pages.arrayBuffer()));
  await rename(temporary, `faxes/${pages.name}`); // The file has all pages, or does not exist.
  console.log(`saved faxes/${pages.name}`);
}
