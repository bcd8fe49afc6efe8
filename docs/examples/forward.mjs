import nodemailer from "nodemailer";

const { SMTP_URL, MAIL_FROM, MAIL_TO } = process.env;
const transport = nodemailer.createTransport(SMTP_URL);

/**
 * @param {import("twiml-fax").FaxCallback} callback
 * @param {import("twiml-fax/webhook").FaxPages} pages
 */
export async function forward({ faxSid, from, numPages }, pages) {
  await transport.sendMail({
    from: MAIL_FROM, // Both addresses are yours. Never use text of a fax as an address.
    to: MAIL_TO,
    subject: `Fax from ${toOneLine(from) || "a withheld number"}`,
    text: `${numPages ?? "?"} pages, fax ${faxSid}`, // Plain text: HTML would need escaping.
    attachments: [{ filename: pages.name, content: Buffer.from(await pages.arrayBuffer()), contentType: pages.type }],
  });
}

/** @param {string} text chosen by the sender: a line break in it would begin a new header */
const toOneLine = (text) =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .slice(0, 60);
