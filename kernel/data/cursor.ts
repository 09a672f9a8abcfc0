// Cursors: the sort values of the last row of a page, authenticated.
//
// A cursor is bound to what it was issued for (list, filters, sort, caller): the binding goes into
// the MAC, not into the cursor, so a cursor of another list fails exactly like a forged one.

import { createHmac, timingSafeEqual } from "node:crypto";
import { errors, Failure } from "../contract/index.ts";

const macBytes = 16;
const maxCursorLength = 4096;

export interface Cursors {
  encode(binding: string, values: readonly unknown[]): string;
  /** The values, or a Failure INVALID_CURSOR for anything that `encode` did not make for this binding. */
  decode(binding: string, cursor: string): unknown[];
}

/** `secret` must be the same in every process that serves the list, and outlive restarts. */
export function createCursors(secret: Uint8Array): Cursors {
  const mac = (binding: string, payload: string) =>
    createHmac("sha256", secret).update(binding).update("\n").update(payload).digest().subarray(0, macBytes);
  return {
    encode(binding, values) {
      const payload = Buffer.from(JSON.stringify(values)).toString("base64url");
      return `${payload}.${mac(binding, payload).toString("base64url")}`;
    },
    decode(binding, cursor) {
      const [payload, sent, ...rest] = cursor.split(".");
      const expected =
        cursor.length <= maxCursorLength && payload && sent && rest.length === 0 ? mac(binding, payload) : undefined;
      const actual = Buffer.from(sent ?? "", "base64url");
      // Decoding base64url is lenient; comparing the text as well refuses a second spelling of one cursor.
      const genuine =
        expected?.length === actual.length &&
        timingSafeEqual(expected, actual) &&
        expected.toString("base64url") === sent;
      if (!genuine)
        throw new Failure(errors.invalidCursor, "The cursor is not valid for this list", {
          details: [{ field: "cursor", message: "was not issued for this list and caller" }],
        });
      return JSON.parse(Buffer.from(payload!, "base64url").toString()) as unknown[];
    },
  };
}
