import { env } from "cloudflare:workers";
import { receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS = "" } = env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const blocked = new Set(["+15005550006"]);

const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN,
  publicUrl: PUBLIC_URL,
  onFax: (fax) => (blocked.has(fax.from) ? reject() : receive()),
  onCallback: deduplicate(save), // Awaited: a Worker is stopped once it has responded.
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const { faxSid, faxStatus, errorMessage } = callback;
  console.log(`fax ${faxSid}: ${faxStatus}`); // First, because the faxSid finds the fax at the provider.
  if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
  const pages = await fetchMedia(callback, { hosts });
  await env.FAXES.put(pages.name, await pages.arrayBuffer()); // a bucket of R2: Workers have no disk
  console.log(`saved faxes/${pages.name}`);
}

export default { fetch: webhook.fetch };
