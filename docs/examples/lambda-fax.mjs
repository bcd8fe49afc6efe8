import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3"; // included in Lambda
import { receive, reject } from "twiml-fax";
import { deduplicate, faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS = "", BUCKET } = process.env;
const hosts = ["files.signalwire.com", ...MEDIA_HOSTS.split(/[\s,]+/).filter(Boolean)];
const blocked = new Set(["+15005550006"]);
const s3 = new S3Client();

export const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN,
  publicUrl: PUBLIC_URL,
  onFax: (fax) => (blocked.has(fax.from) ? reject() : receive()),
  onCallback: deduplicate(save), // Awaited: a function is stopped once it has responded.
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const { faxSid, faxStatus, errorMessage } = callback;
  console.log(`fax ${faxSid}: ${faxStatus}`); // First, because the faxSid finds the fax at the provider.
  if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
  const pages = await fetchMedia(callback, { hosts });
  const Body = Buffer.from(await pages.arrayBuffer());
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `faxes/${pages.name}`, Body, ContentType: pages.type }));
  console.log(`saved faxes/${pages.name}`);
}
