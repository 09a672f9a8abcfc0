// One address for many services: their routes, the documents derived from their contracts, health.
//
// In one process the gateway's steps are those of the pipeline and run once, in place: a request
// makes no second hop.

import { asyncApi, errors, openApi } from "../contract/index.ts";
import { type Answer, createAddressReader, createCors } from "../http/index.ts";
import {
  createPipeline,
  createRouteTable,
  type FixedRoute,
  type Pipeline,
  type PipelineOptions,
  type RunningService,
} from "../service/index.ts";
import { docsAssets } from "./docs-page.ts";
import type { Health } from "./health.ts";

export interface GatewayOptions extends Omit<PipelineOptions, "routes" | "fixed" | "cors" | "addressOf"> {
  services: readonly RunningService[];
  title: string;
  version: string;
  jwks(): Promise<object>;
  health: Health;
  corsOrigins: readonly string[];
  trustedProxies: readonly string[];
}

export function createGateway(options: GatewayOptions): Pipeline {
  return createPipeline({
    ...options,
    routes: createRouteTable(options.services),
    fixed: new Map([...documents(options), ...healthRoutes(options.health)]),
    cors: createCors({ origins: options.corsOrigins }),
    addressOf: createAddressReader(options.trustedProxies),
  });
}

function documents({ services, title, version, jwks }: GatewayOptions): [string, FixedRoute][] {
  const contracts = services.map(({ contract }) => contract);
  const info = { title, version };
  const pages = Object.entries(docsAssets({ title })).map(
    ([path, { contentType, body, csp }]): [string, FixedRoute] => {
      const headers = {
        "content-type": contentType,
        "cache-control": "public, no-cache",
        ...(csp === undefined ? {} : { "content-security-policy": csp }),
      };
      return [path, fixed(() => ({ status: 200, headers, body }))];
    },
  );
  return [
    ["/openapi.json", document(openApi(contracts, info))],
    ["/asyncapi.json", document(asyncApi(contracts, info))],
    ["/.well-known/jwks.json", fixed(async () => json(200, await jwks(), "public, max-age=30"))],
    ...pages,
  ];
}

function document(value: object): FixedRoute {
  const body = JSON.stringify(value);
  return fixed(() => ({ status: 200, headers: { "cache-control": "public, no-cache" }, body }));
}

function healthRoutes(health: Health): [string, FixedRoute][] {
  const route = (answer: FixedRoute["answer"]): FixedRoute => ({ answer, limited: false });
  const status = async () => {
    const report = await health.report();
    return json(report.status === "unhealthy" ? 503 : 200, report, "no-store");
  };
  return [
    ["/health", route(status)],
    ["/health/live", route(() => json(200, { status: "alive" }, "no-store"))],
    [
      "/health/ready",
      route(async () =>
        (await health.ready())
          ? json(200, { status: "ready" }, "no-store")
          : json(503, { status: "unready" }, "no-store"),
      ),
    ],
  ];
}

function fixed(answer: FixedRoute["answer"]): FixedRoute {
  return { answer, limited: true };
}

function json(status: number, value: object, cacheControl: string): Answer {
  const retry: Record<string, string> = status === errors.unavailable.status ? { "retry-after": "1" } : {};
  return { status, headers: { "cache-control": cacheControl, ...retry }, body: JSON.stringify(value) };
}
