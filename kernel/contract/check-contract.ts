// What a contract as a whole must keep, checked when it is declared, where the mistake is made.
// What a resource must keep by itself, `resource` checks.

import { errors } from "./errors.ts";
import type { Named, Operation } from "./operation.ts";
import { schemaOf } from "./schema.ts";
import type { ServiceContract } from "./service.ts";

/** Throws at the first mistake, with the way to mend it. */
export function checkContract(contract: ServiceContract): void {
  checkErrors(contract);
  for (const operation of Object.values(contract.operations)) {
    checkParameters(operation);
    checkOwner(operation);
    checkEvents(contract, operation);
  }
  for (const operation of Object.values(contract.allOperations)) {
    checkSelf(operation);
    checkCost(operation);
    checkTimeout(operation);
    checkCache(contract, operation);
  }
  checkVersions(contract);
}

function checkErrors(contract: ServiceContract): void {
  const statuses = new Map<string, number>(Object.values(errors).map(({ code, status }) => [code, status]));
  for (const operation of Object.values(contract.allOperations)) {
    for (const { code, status } of operation.errors) {
      if ((statuses.get(code) ?? status) !== status)
        throw new Error(`Error code ${code} has two statuses in service ${contract.name}.`);
      statuses.set(code, status);
    }
  }
}

function checkParameters({ service, name, path, params, body, limit }: Named<Operation>): void {
  const inPath = parametersOf(path);
  const undeclared = inPath.find((parameter) => params[parameter] === undefined);
  if (undeclared !== undefined)
    throw new Error(
      `The path of ${service}.${name} has {${undeclared}}, which is not declared. Add it to "params", such as { ${undeclared}: id("abc") }.`,
    );
  const misplaced = Object.keys(params).find((parameter) => !inPath.includes(parameter));
  if (misplaced !== undefined)
    throw new Error(
      `Operation ${service}.${name} declares the parameter ${misplaced}, which its path ${path} does not have. Write {${misplaced}} in the path, or move it to "query".`,
    );
  const { account } = limit;
  if (account !== undefined && schemaOf(body ?? {}).properties?.[account] === undefined)
    throw new Error(`The limit of ${service}.${name} counts by "${account}", which is not a property of its body.`);
}

/** What costs nothing would be unlimited. */
function checkCost({ service, name, limit: { cost = 1 } }: Named<Operation>): void {
  if (Number.isSafeInteger(cost) && cost >= 1) return;
  throw new Error(`The limit of ${service}.${name} has the cost ${cost}. Use a whole number from 1.`);
}

/** It could never be answered in time, and the breaker of whoever calls it would say that the service is ill. */
function checkTimeout({ service, name, timeoutMs }: Named<Operation>): void {
  if (timeoutMs === undefined || (Number.isSafeInteger(timeoutMs) && timeoutMs >= 1)) return;
  throw new Error(
    `Operation ${service}.${name} has a timeoutMs of ${timeoutMs}. Use a whole number of milliseconds from 1.`,
  );
}

/** Only a resource knows who owns a row: without one, `owner` would let in everybody who is signed in. */
function checkOwner({ service, name, access, resource }: Named<Operation>): void {
  if (!access.includes("owner") || resource?.spec.owner !== undefined) return;
  throw new Error(
    `Operation ${service}.${name} grants something to an owner, and returns no resource that has one. Use signedIn or self, and look in the handler whose it is.`,
  );
}

function checkEvents({ events }: ServiceContract, { service, name, emits }: Named<Operation>): void {
  const unknown = emits.find(({ type }) => !events.some((declared) => declared.type === type));
  if (unknown !== undefined)
    throw new Error(
      `Operation ${service}.${name} emits ${unknown.type}, which service ${service} does not declare. Add it to "events".`,
    );
}

function checkSelf({ service, name, access, path }: Named<Operation>): void {
  for (const grant of access) {
    if (typeof grant !== "object" || !("self" in grant) || parametersOf(path).includes(grant.self)) continue;
    throw new Error(
      `Operation ${service}.${name} is for self("${grant.self}"), and its path ${path} has no {${grant.self}}. Name the parameter that holds the user's id.`,
    );
  }
}

function checkCache({ resources }: ServiceContract, operation: Named<Operation>): void {
  const { service, name, method, access, secret, path, cache, invalidates } = operation;
  if (invalidates.length > 0 && method === "GET")
    throw new Error(`Operation ${service}.${name} is a GET and changes nothing. Take out "invalidates".`);
  const dependsOn = cache !== undefined && "dependsOn" in cache ? cache.dependsOn : [];
  const tags = [...invalidates, ...dependsOn.filter((one) => typeof one === "string")];
  const unknown = tags.flatMap(parametersOf).find((parameter) => !parametersOf(path).includes(parameter));
  if (unknown !== undefined)
    throw new Error(
      `A tag of operation ${service}.${name} has {${unknown}}, which its path ${path} does not have. Name a parameter of the path.`,
    );
  if (cache === undefined) return;
  if (method !== "GET" || secret)
    throw new Error(
      `Operation ${service}.${name} cannot be cached: ${secret ? "it answers a secret" : "it is no GET"}.`,
    );
  if (access.every((grant) => grant === "service"))
    throw new Error(
      `Operation ${service}.${name} is for services, which decide on what it answers and are not given an older answer. Take out "cache", or use ctx.cached in its handler.`,
    );
  const { ttlMs, staleMs = 0, negativeMs = 0 } = cache;
  if (!(ttlMs > 0 && staleMs >= 0 && negativeMs >= 0 && ttlMs + staleMs + negativeMs < Infinity))
    throw new Error(`The times of the cache of ${service}.${name} are milliseconds, and "ttlMs" is more than 0.`);
  const foreign = dependsOn.find((one) => typeof one !== "string" && !resources.some(({ name }) => name === one.name));
  if (typeof foreign === "object")
    throw new Error(
      `The cache of ${service}.${name} depends on ${foreign.name}, which is not a resource of ${service}: nobody would say when it changed.`,
    );
}

function checkVersions({ name, versions, changes, resources }: ServiceContract): void {
  const numbers = versions.map(({ number }) => number);
  if (numbers.length === 0 || new Set(numbers).size < numbers.length || numbers.some((number) => !isVersion(number)))
    throw new Error(
      `The versions of service ${name} must be different whole numbers from 1, such as [{ number: 1 }, { number: 2 }].`,
    );
  for (const { resource, until, removes } of changes) {
    if (!resources.some((one) => one.name === resource.name))
      throw new Error(`Service ${name} changes ${resource.name}, which is not one of its resources.`);
    if (until >= numbers.at(-1)!)
      throw new Error(
        `The change of ${resource.name} holds until version ${until}, and service ${name} has no version after it. Add { number: ${until + 1} } to "versions".`,
      );
    const known = new Set([
      ...Object.keys({ ...resource.columns, ...resource.spec.createOnly }),
      ...changes.filter((one) => one.resource.name === resource.name).flatMap(({ adds }) => Object.keys(adds)),
    ]);
    const unknown = removes.find((property) => !known.has(property));
    if (unknown !== undefined)
      throw new Error(
        `The change of ${resource.name} removes "${unknown}", which is not one of its properties. "removes" names what the newer version has and the older one has not.`,
      );
  }
}

function isVersion(number: number): boolean {
  return Number.isInteger(number) && number >= 1;
}

function parametersOf(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter!);
}
