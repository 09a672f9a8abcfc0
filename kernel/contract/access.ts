// Who may, as data. A rule is a list of grants, any of which suffices; the pipeline evaluates it
// before a handler runs, OpenAPI documents it, and a generated test tries every caller against it.

/**
 * - `anyone`: no credentials needed
 * - `signedIn`: any user
 * - `{ role }`: a user with the role, on everything
 * - `{ self }`: the user whose id is the path parameter of that name (`me` stands for the caller)
 * - `owner`: the user named by the resource's `owner` property; lists show only their rows
 * - `service`: another service; such an operation is not reachable from outside
 */
export type Grant = "anyone" | "signedIn" | "owner" | "service" | { readonly role: string } | { readonly self: string };
export type Access = readonly Grant[];

export const anyone: Access = ["anyone"];
export const signedIn: Access = ["signedIn"];
export const owner: Access = ["owner"];
export const servicesOnly: Access = ["service"];

/** What an API key must be allowed to call an operation: `orders:read`, or `orders:write` for all but GET. */
export function neededScope({ service, method }: { service: string; method: string }): string {
  return `${service}:${method === "GET" ? "read" : "write"}`;
}

export function role(name: string): Access {
  return [{ role: name }];
}

export function self(parameter: string): Access {
  return [{ self: parameter }];
}

/** Any of several rules: `either(self("id"), role("admin"))`. */
export function either(...rules: readonly Access[]): Access {
  return rules.flat();
}
