/** Express 4 under its alias: for these tests the surface of Express 5, whose types are installed. */
declare module "express4" {
  export { default } from "express";
}
