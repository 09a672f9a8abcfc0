// One address for many services.
export { createGateway, createServicePort, type GatewayOptions } from "./gateway.ts";
export { createHealth, type CheckName, type Health, type HealthReport } from "./health.ts";
export { createForward } from "./forward.ts";
export { createPeerHandler } from "./peer-handler.ts";
export { createPeerUpgrade } from "./peer-upgrade.ts";
