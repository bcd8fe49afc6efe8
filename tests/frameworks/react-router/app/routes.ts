import { type RouteConfig, route } from "@react-router/dev/routes";

export default [route("fax", "fax-route.ts")] satisfies RouteConfig;
