/** The fax route: providers send POST or GET. */
import { webhook } from "../../lib/fax";

export const POST = webhook.fetch;
export const GET = webhook.fetch;
