/** The application. */
import { Module } from "@nestjs/common";
import { FaxController } from "./fax.controller.js";
import { Faxes } from "./faxes.service.js";

@Module({ controllers: [FaxController], providers: [Faxes] })
export class AppModule {}
