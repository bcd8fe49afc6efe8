import { http } from "@google-cloud/functions-framework";
import { webhook } from "./lambda-fax.mjs"; // Replace S3 with your storage.

// The framework has parsed the body. rawBody is the body as the provider signed it.
http("fax", (req, res) => webhook.node(Object.assign(req, { body: req.rawBody }), res));
