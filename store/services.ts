// The services of the store. To add one: its folder, and a line in each list.

import type { ServiceContract } from "ashlar/contract";
import type { Platform } from "ashlar/runtime";
import type { Implementation } from "ashlar/service";
import { catalog } from "./services/catalog/contract.ts";
import { catalogService } from "./services/catalog/service.ts";
import { identity } from "./services/identity/contract.ts";
import { identityService } from "./services/identity/service.ts";
import { orders } from "./services/orders/contract.ts";
import { ordersService } from "./services/orders/service.ts";

export const contracts = [identity, catalog, orders] as unknown as readonly ServiceContract[];

/** Knows the API keys. */
export const apiKeys = identity.operations.identifyApiKey;

export function services(platform: Platform): readonly Implementation[] {
  return [identityService(platform), catalogService(), ordersService()];
}
