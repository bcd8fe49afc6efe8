import { env, waitUntil } from "cloudflare:workers";
import { receive, reject } from "twiml-fax";
import { faxWebhook, fetchMedia } from "twiml-fax/webhook";

const webhook = faxWebhook({
  authToken: env.FAX_AUTH_TOKEN,
  publicUrl: env.PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: env.PUBLIC_URL ?? "fax" })),
  onCallback(callback) {
    const { faxSid, faxStatus, errorMessage } = callback;
    if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
    // Nothing runs after the answer, unless it is handed over.
    waitUntil(save(callback).catch((error) => console.error(`NOT SAVED: ${faxSid}`, error)));
  },
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const pages = await fetchMedia(callback, { hosts: env.MEDIA_HOSTS?.split(",") });
  await env.FAXES.put(pages.name, await pages.arrayBuffer()); // a bucket of R2: Workers have no disk
  console.log(`saved faxes/${pages.name}`);
}

export default { fetch: webhook.fetch };
