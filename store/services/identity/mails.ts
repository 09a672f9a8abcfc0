// What identity says by mail.
//
// Nothing in a mail comes from a request: the address of a link is configured, and the name that somebody
// gave is left out, since whoever registers another's address would choose what that person reads.

import type { MailTemplate } from "ashlar/mail";
import { type LinkPurpose, linkToken } from "./links.ts";
import type { Parts } from "./parts.ts";

/** By the purpose of the link. Looks at `parts` when a mail is made, not before. */
export function createMails(parts: Parts): Record<LinkPurpose, MailTemplate> {
  // The token goes behind the #: browsers send that to no server, so it is in no log and in no Referer.
  const link = (page: string, purpose: LinkPurpose, id: string) =>
    `${parts.publicUrl}/${page}#token=${linkToken(id, purpose, parts)}`;
  return {
    verify_email: ({ linkId }) => ({
      subject: `${parts.title}: confirm your email address`,
      text: lines(
        `Somebody, hopefully you, gave this address to ${parts.title}. To confirm that it is yours, open`,
        link("verify-email", "verify_email", linkId!),
        `The link works once, within ${minutes(parts)} minutes. If this was not you, do nothing: the address stays unconfirmed.`,
      ),
    }),
    reset_password: ({ linkId }) => ({
      subject: `${parts.title}: choose a new password`,
      text: lines(
        `Somebody, hopefully you, asked to choose a new password for your account at ${parts.title}. To do so, open`,
        link("reset-password", "reset_password", linkId!),
        `The link works once, within ${minutes(parts)} minutes. If this was not you, do nothing: your password stays as it is.`,
      ),
    }),
  };
}

function minutes({ policy }: Parts): number {
  return Math.floor(policy.linkTtlMs / 60_000);
}

function lines(...paragraphs: readonly string[]): string {
  return `${paragraphs.join("\n\n")}\n`;
}
