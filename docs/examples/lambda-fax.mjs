import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3"; // Lambda has it
import { receive, reject } from "twiml-fax";
import { faxWebhook, fetchMedia } from "twiml-fax/webhook";

const { FAX_AUTH_TOKEN, PUBLIC_URL, MEDIA_HOSTS, BUCKET } = process.env;
const s3 = new S3Client();

export const webhook = faxWebhook({
  authToken: FAX_AUTH_TOKEN,
  publicUrl: PUBLIC_URL,
  onFax: (fax) => (fax.from === "+15005550006" ? reject() : receive({ action: PUBLIC_URL ?? "fax" })),
  onCallback(callback) {
    const { faxSid, faxStatus, errorMessage } = callback;
    if (faxStatus !== "received") return console.error(`NO PAGES: ${faxSid} ${faxStatus} ${errorMessage}`);
    // Returned, because nothing runs after the answer.
    return save(callback).catch((error) => console.error(`NOT SAVED: ${faxSid}`, error));
  },
});

/** @param {import("twiml-fax").FaxCallback} callback */
async function save(callback) {
  const pages = await fetchMedia(callback, { hosts: MEDIA_HOSTS ? MEDIA_HOSTS.split(",") : undefined });
  const Body = Buffer.from(await pages.arrayBuffer());
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: `faxes/${pages.name}`, Body, ContentType: pages.type }));
  console.log(`saved faxes/${pages.name}`);
}
