/** The fax route: a provider asks by POST or by GET. */
import { webhook } from "../../lib/fax";

export const POST = webhook.fetch;
export const GET = webhook.fetch;
