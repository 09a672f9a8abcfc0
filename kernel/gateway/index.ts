// One address for many services.
export { createGateway, type GatewayOptions } from "./gateway.ts";
export { createHealth, type CheckName, type Health, type HealthReport } from "./health.ts";
