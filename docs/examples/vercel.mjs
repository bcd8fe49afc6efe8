import { webhook } from "./lambda-fax.mjs"; // Replace S3 with your storage.

// Save this as api/fax.mjs. The URL is https://NAME.vercel.app/api/fax.
export const GET = webhook.fetch;
export const POST = webhook.fetch;
