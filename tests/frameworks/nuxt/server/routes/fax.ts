import { webhook } from "../lib/fax";

export default defineEventHandler((event) => webhook.fetch(toWebRequest(event)));
