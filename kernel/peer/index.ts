// The other processes of a system: how they are reached, and how they know each other.
export { createPeerTokens, type PeerClaims, type PeerTokens } from "./tokens.ts";
export { failureOf, outcomeOf, type Outcome } from "./outcome.ts";
export {
  createWire,
  eventsPath,
  peerHeader,
  type Limits,
  type PeerAnswer,
  type PeerRequest,
  type PeerTls,
  type Wire,
  type WireOptions,
} from "./wire.ts";
