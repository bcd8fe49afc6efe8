/** `@aws-sdk/client-s3`, as far as the Lambda examples use it: the objects are in `stored`. */
import { stored } from "./stored.js";

export class PutObjectCommand {
  constructor(readonly input: { readonly Key: string; readonly Body: Uint8Array }) {}
}

export class S3Client {
  async send({ input }: PutObjectCommand): Promise<void> {
    stored.set(input.Key, new Uint8Array(input.Body));
  }
}
