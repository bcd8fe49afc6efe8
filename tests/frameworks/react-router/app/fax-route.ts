import { webhook } from "./fax.server";

export const action = ({ request }: { request: Request }) => webhook.fetch(request); // POST
export const loader = action; // GET
