// The services of the store. To add one: its folder, and a line here.

import { type Platform, unusablePlatform } from "ashlar/runtime";
import type { Implementation } from "ashlar/service";
import { catalogService } from "./services/catalog/service.ts";
import { identity } from "./services/identity/contract.ts";
import { identityService } from "./services/identity/service.ts";
import { ordersService } from "./services/orders/service.ts";

export function services(platform: Platform): readonly Implementation[] {
  return [identityService(platform), catalogService(), ordersService()];
}

export const contracts = services(unusablePlatform).map(({ contract }) => contract);

/** Knows the API keys. */
export const apiKeys = identity.operations.identifyApiKey;

/** Knows what ended access tokens. */
export const endedTokens = identity.operations.listEndedTokens;
