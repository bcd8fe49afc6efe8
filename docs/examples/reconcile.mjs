import { mkdir, readdir, writeFile } from "node:fs/promises";
import { fetchMedia } from "twiml-fax/webhook";

// SPACE_URL is https://NAME.signalwire.com, PROJECT is the project's ID, and API_TOKEN is an API token (PT…).
const { SPACE_URL = "", PROJECT = "", API_TOKEN = "", MEDIA_HOSTS = "" } = process.env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const authorization = `Basic ${btoa(`${PROJECT}:${API_TOKEN}`)}`;
const since = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000).toISOString();
await mkdir("faxes", { recursive: true });
const saved = new Set((await readdir("faxes")).map((name) => name.replace(/\.(pdf|tiff)$/, "")));

let page = `/api/laml/2010-04-01/Accounts/${PROJECT}/Faxes.json?DateCreatedAfter=${since}`;
while (page) {
  const response = await fetch(new URL(page, SPACE_URL), { headers: { authorization } });
  if (!response.ok) throw new Error(`The list of faxes has status ${response.status}.`);
  const { faxes, next_page_uri } = await response.json();
  for (const { sid, direction, media_url } of faxes) {
    if (direction !== "inbound" || !media_url || saved.has(sid)) continue;
    const pages = await fetchMedia({ faxSid: sid, mediaUrl: media_url }, { hosts });
    await writeFile(`faxes/${pages.name}`, Buffer.from(await pages.arrayBuffer()), { flag: "wx" });
    console.log(`saved faxes/${pages.name}, which had no callback`);
  }
  page = next_page_uri;
}
