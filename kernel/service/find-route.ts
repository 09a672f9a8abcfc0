// Which operation a request means, in which version; and what can be said without running one.

import type { IncomingMessage } from "node:http";
import { errors, Failure, type Method, notFound } from "../contract/index.ts";
import type { Answer, Target } from "../http/index.ts";
import type { Exchange, PipelineOptions } from "./exchange.ts";
import { allMethods, type RemoteRoute, type Route, type VersionedRoute } from "./routes.ts";
import { chooseVersion, splitPath, versionHeaders } from "./versions.ts";

interface Found {
  params: Record<string, string>;
  /** With its version, whichever way that was asked for. */
  path: string;
}

/** An operation of a service that runs here, or of one that requests are handed on to. */
export type FoundRoute = Found & ({ route: Route; versioned: VersionedRoute } | { route: RemoteRoute });

/** 404, 405 and the version. OPTIONS, which needs no credentials, finds the answer itself. */
export function findRoute(options: PipelineOptions, exchange: Exchange, target: Target): FoundRoute | Answer {
  const { inPath, path } = splitPath(target.rawPath);
  const { methods, params } = options.routes.match(path);
  if (methods.size === 0) throw notFound("There is nothing at this address");
  const successor = `/v${options.routes.versions.at(-1)!.number}${path}`;
  const version = chooseVersion(
    options.routes.versions,
    { inPath, inAccept: exchange.accept.version, inQuery: target.query.get("version") },
    options.clock.nowMs(),
    successor,
  );
  Object.assign(exchange.headers, versionHeaders(version, successor));
  if (exchange.message.method === "OPTIONS") return answerOptions(options, exchange.message, [...methods.keys()]);
  if (!exchange.accept.acceptable) throw new Failure(errors.notAcceptable, "Answers are application/json");
  const method = (exchange.message.method === "HEAD" ? "GET" : exchange.message.method) as Method;
  const route = methods.get(method);
  if (route === undefined) {
    throw new Failure(errors.methodNotAllowed, "This resource does not have this method", {
      headers: { allow: allowed([...methods.keys()]) },
    });
  }
  if (!route.versions.has(version.number)) throw notFound("There is nothing at this address in this version");
  const found = { params, path: `/v${version.number}${path}` };
  return isRemote(route) ? { ...found, route } : { ...found, route, versioned: route.versions.get(version.number)! };
}

function isRemote(route: Route | RemoteRoute): route is RemoteRoute {
  return "forward" in route.service;
}

function answerOptions({ cors }: PipelineOptions, message: IncomingMessage, methods: readonly Method[]): Answer {
  const patchTypes: Record<string, string> = methods.includes("PATCH")
    ? { "accept-patch": "application/json, application/merge-patch+json" }
    : {};
  return { status: 204, headers: { allow: allowed(methods), ...patchTypes, ...cors.preflight(message, methods) } };
}

function allowed(methods: readonly Method[]): string {
  const offered = allMethods.filter((method) => methods.includes(method));
  return [
    ...(methods.includes("GET") ? ["GET", "HEAD"] : []),
    ...offered.filter((method) => method !== "GET"),
    "OPTIONS",
  ].join(", ");
}
