import type { APIRoute } from "astro";
import { webhook } from "../lib/fax";

export const prerender = false;
export const ALL: APIRoute = ({ request }) => webhook.fetch(request);
