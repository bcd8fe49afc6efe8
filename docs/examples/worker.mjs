import { webhook } from "./fax.mjs";

export default { fetch: webhook.fetch };
