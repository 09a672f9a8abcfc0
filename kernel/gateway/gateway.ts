// One address for many services: their routes, the documents derived from their contracts, health.
//
// The gateway's steps are those of the pipeline. For a service of the same process the rest of them follows in
// place, without a hop; to others the request is handed on.

import type { IncomingMessage } from "node:http";
import { asyncApi, errors, openApi, type ServiceContract } from "../contract/index.ts";
import { type Answer, createAddressReader, createCors } from "../http/index.ts";
import type { PeerClaims, PeerTokens } from "../peer/index.ts";
import {
  createPipeline,
  createRouteTable,
  type FixedRoute,
  type Forwarded,
  type Pipeline,
  type PipelineOptions,
  type RemoteRoute,
  type RemoteService,
  type Route,
  type RunningService,
} from "../service/index.ts";
import { docsAssets } from "./docs-page.ts";
import { useOf } from "./forward.ts";
import { peerClaims } from "./peer-claims.ts";
import type { Health } from "./health.ts";

export interface GatewayOptions extends Omit<PipelineOptions, "routes" | "fixed" | "cors" | "addressOf" | "forwarded"> {
  services: readonly (RunningService | RemoteService)[];
  /** Of the whole system, in the order of its documents. */
  contracts: readonly ServiceContract[];
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

export interface ServicePortOptions extends Omit<
  GatewayOptions,
  "services" | "contracts" | "trustedProxies" | "title" | "version" | "jwks"
> {
  services: readonly RunningService[];
  tokens: PeerTokens;
}

/** Where the gateway reaches services: it takes requests from nobody else. */
export function createServicePort(options: ServicePortOptions): Pipeline {
  return createPipeline({
    ...options,
    routes: createRouteTable(options.services),
    fixed: new Map(healthRoutes(options.health)),
    cors: createCors({ origins: options.corsOrigins }),
    addressOf: createAddressReader([]),
    forwarded: (route, message) => readForwarded(options.tokens, route, message),
  });
}

function readForwarded(tokens: PeerTokens, { service }: Route | RemoteRoute, message: IncomingMessage): Forwarded {
  const meant = { audience: service.contract.name, use: useOf(message) };
  return peerClaims(tokens, message, meant, "Requests to services come through the gateway") as PeerClaims & Forwarded;
}

function documents({ contracts, title, version, jwks, checkAnswers }: GatewayOptions): [string, FixedRoute][] {
  const info = { title, version };
  const pages = Object.entries(docsAssets({ title })).map(
    ([path, { contentType, body, csp }]): [string, FixedRoute] => {
      const headers = {
        "content-type": contentType,
        "cache-control": "public, no-cache",
        ...(csp === undefined ? {} : { "content-security-policy": csp }),
      };
      return [path, fixed(() => ({ status: 200, headers, body: body() }))];
    },
  );
  const make = { openApi: () => openApi(contracts, info), asyncApi: () => asyncApi(contracts, info) };
  // Names that clash in a document are a mistake that a developer should see before anybody asks for it.
  if (checkAnswers) Object.values(make).forEach((one) => one());
  return [
    ["/openapi.json", document(make.openApi)],
    ["/asyncapi.json", document(make.asyncApi)],
    ["/.well-known/jwks.json", fixed(async () => json(200, await jwks(), "public, max-age=30"))],
    ...pages,
  ];
}

/** Made when it is first asked for, which in most processes nobody does. */
function document(make: () => object): FixedRoute {
  let body: string | undefined;
  return fixed(() => {
    body ??= JSON.stringify(make());
    return { status: 200, headers: { "cache-control": "public, no-cache" }, body };
  });
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
