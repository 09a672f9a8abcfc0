import type { Implementation } from "ashlar/service";

export function withoutCache(service: Implementation): Implementation {
  const { contract } = service;
  const uncached = <T extends object>(all: Readonly<Record<string, T>>) =>
    Object.fromEntries(Object.entries(all).map(([name, one]) => [name, { ...one, cache: undefined }]));
  return {
    ...service,
    contract: {
      ...contract,
      resources: contract.resources.map((resource) => ({ ...resource, spec: { ...resource.spec, cache: undefined } })),
      operations: uncached(contract.operations),
      allOperations: uncached(contract.allOperations),
    } as typeof contract,
  };
}
