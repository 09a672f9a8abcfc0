// The other processes of a system: how they are reached, and how they know each other.
export { createPeerTokens, peerHeader, type PeerClaims, type PeerTokens } from "./tokens.ts";
export { failureOf, outcomeOf, type Outcome, type Work } from "./outcome.ts";
export {
  createWire,
  eventsPath,
  type Limits,
  type PeerRequest,
  type PeerTls,
  type Wire,
  type WireOptions,
} from "./wire.ts";
export { answerWire, type Ask } from "./answering.ts";
export type { Reply } from "./asking.ts";
export { meetAsker, wirePath, wireProtocol } from "./opening.ts";
export { isUndelivered } from "./unreached.ts";
export type { Begin } from "./relay.ts";
