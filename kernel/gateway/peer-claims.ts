import type { IncomingMessage } from "node:http";
import { credentialsMissing } from "../auth/index.ts";
import { errors, Failure } from "../contract/index.ts";
import { type PeerClaims, peerHeader, type PeerTokens } from "../peer/index.ts";

/** What a peer says, under a token for this audience and use; anybody else gets a 401 with this sentence. */
export function peerClaims(
  tokens: PeerTokens,
  message: IncomingMessage,
  { audience, use }: { audience: string; use: string },
  refusal: string,
): PeerClaims {
  try {
    return tokens.read(message.headers[peerHeader] as string | undefined, audience, use);
  } catch (cause) {
    throw new Failure(errors.unauthenticated, refusal, { headers: credentialsMissing().headers, cause });
  }
}
