/**
 * A server that responds to callbacks at once and saves the pages afterwards. Each callback is a file in faxes/queue
 * until its pages are saved, so no fax is lost when the process ends, even by SIGKILL or a power failure.
 */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";
import { receive } from "twiml-fax";
import { faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS = "", PORT = "3000" } = process.env;
const { HOST = PUBLIC_URL ? "0.0.0.0" : "127.0.0.1" } = process.env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const queue = "faxes/queue";
await mkdir(queue, { recursive: true });

const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN,
  publicUrl: PUBLIC_URL,
  onFax: () => receive(),
  async onCallback({ faxSid, faxStatus, errorMessage, mediaUrl }) {
    console.log(`fax ${faxSid}: ${faxStatus}`);
    if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
    // A repeated callback replaces the file, or saves the same pages again.
    await replaceFile(`${queue}/${faxSid}.json`, JSON.stringify({ faxSid, mediaUrl }));
  },
});

/**
 * Writes to a temporary file first, so that a file has its whole content or does not exist.
 * @param {string} name
 * @param {string | Uint8Array} content
 */
async function replaceFile(name, content) {
  const temporary = `${name}.${randomUUID()}.part`;
  await writeFile(temporary, content, { flush: true });
  await rename(temporary, name);
}

/** @param {string} job */
async function save(job) {
  const pages = await fetchMedia(JSON.parse(await readFile(job, "utf8")), { hosts });
  await replaceFile(`faxes/${pages.name}`, Buffer.from(await pages.arrayBuffer()));
  await rm(job); // Only now: until then, the next start saves the pages again.
  console.log(`saved faxes/${pages.name}`);
}

const server = createServer(webhook.node).listen(Number(PORT), HOST, () => {
  console.log(`waiting for faxes at http://${HOST}:${PORT}/fax`);
});
const stopping = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close();
    stopping.abort();
  });
}

// One fax after another. A fax that could not be saved is tried again after a minute.
const retryAt = new Map();
while (!stopping.signal.aborted) {
  for (const name of (await readdir(queue)).filter((name) => name.endsWith(".json"))) {
    if (stopping.signal.aborted || Date.now() < (retryAt.get(name) ?? 0)) continue;
    retryAt.delete(name);
    await save(`${queue}/${name}`).catch((error) => {
      console.error(`NOT SAVED YET: ${name}`, error);
      retryAt.set(name, Date.now() + 60_000);
    });
  }
  await setTimeout(500, undefined, { signal: stopping.signal }).catch(() => {});
}
