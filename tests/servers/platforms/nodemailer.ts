/** `nodemailer`, as far as the example uses it: the messages are in `sent`. */
export const sent: any[] = [];

export default {
  createTransport: () => ({
    sendMail: async (message: object) => void sent.push(message),
  }),
};
