import { app } from "@azure/functions";
import { webhook } from "./lambda-fax.mjs"; // Replace S3 with your storage.

// The URL is https://NAME.azurewebsites.net/api/fax. The signature protects it, so it needs no function key.
app.http("fax", { methods: ["GET", "POST"], authLevel: "anonymous", handler: webhook.fetch });
