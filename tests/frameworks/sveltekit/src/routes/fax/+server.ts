import { webhook } from "../../lib/server/fax";
import type { RequestHandler } from "./$types";

export const POST: RequestHandler = ({ request }) => webhook.fetch(request);
export const GET = POST;
