import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { type FaxCallback, receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS = "", PORT = "3000" } = process.env;
const { HOST = PUBLIC_URL ? "0.0.0.0" : "127.0.0.1" } = process.env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const blocked = new Set(["+15005550006"]);

const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN, // SignalWire: the signing key (PSK_…). Twilio: the auth token.
  publicUrl: PUBLIC_URL, // The URL configured at the provider. Not needed for local tests.
  onFax: (fax) => (blocked.has(fax.from) ? reject() : receive()),
  onCallback: deduplicate(save), // The provider gets its 200 after save has finished.
});

async function save(callback: FaxCallback): Promise<void> {
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

const server = createServer(webhook.node).listen(Number(PORT), HOST, () => {
  console.log(`waiting for faxes at http://${HOST}:${PORT}/fax`);
});
// Node exits once the last handler has finished.
for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => server.close());
