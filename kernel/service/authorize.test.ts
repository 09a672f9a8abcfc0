import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../auth/index.ts";
import {
  anyone,
  either,
  get,
  owner,
  post,
  role,
  self,
  service as declare,
  servicesOnly,
  signedIn,
  type Access,
} from "../contract/index.ts";
import { authorize, authorizeScope, holdsRole } from "./authorize.ts";

const nobody: Caller = { kind: "nobody", address: "198.51.100.7" };
const user = (userId: string, ...roles: string[]): Caller => ({
  kind: "user",
  userId,
  email: "a@example.com",
  roles,
  sessionId: "ses_1",
  address: "198.51.100.7",
});
const service: Caller = { kind: "service", name: "orders" };
const outcome = (access: Access, caller: Caller, params: Record<string, string> = {}): string | number => {
  try {
    return authorize(access, caller, params);
  } catch (error) {
    return (error as { status: number }).status;
  }
};

test("Z01 Z02 Z03 each rule against each caller", () => {
  const admin = user("usr_1", "admin");
  const member = user("usr_2", "member");
  const rules: [
    string,
    Access,
    Record<string, string>,
    outcomes: [nobody: string | number, admin: string | number, member: string | number],
  ][] = [
    ["anyone", anyone, {}, ["all", "all", "all"]],
    ["signedIn", signedIn, {}, [401, "all", "all"]],
    ["role", role("admin"), {}, [401, "all", 403]],
    ["self, own", self("id"), { id: "usr_2" }, [401, 404, "all"]],
    ["self, other", self("id"), { id: "usr_3" }, [401, 404, 404]],
    ["self or role", either(self("id"), role("admin")), { id: "usr_3" }, [401, "all", 404]],
    ["owner", owner, {}, [401, "own", "own"]],
    ["owner or role", either(owner, role("admin")), {}, [401, "all", "own"]],
    ["services", servicesOnly, {}, [401, 403, 403]],
    ["nobody at all", [], {}, [401, 403, 403]],
  ];
  for (const [name, access, params, expected] of rules) {
    deepEqual(
      [nobody, admin, member].map((caller) => outcome(access, caller, { ...params })),
      expected,
      name,
    );
    equal(outcome(access, service, { ...params }), "all");
  }
});

test("`me` stands for the caller, and for nobody when nobody asks", () => {
  const params = { id: "me" };
  equal(outcome(self("id"), user("usr_2"), params), "all");
  deepEqual(params, { id: "usr_2" });
  const unsigned = { id: "me" };
  throws(() => authorize(self("id"), nobody, unsigned));
  deepEqual(unsigned, { id: "me" });
  // Only where the rule names the parameter: elsewhere `me` is an id like any other.
  const other = { userId: "me" };
  authorize(signedIn, user("usr_2"), other);
  deepEqual(other, { userId: "me" });
});

test("a role is held by name, exactly, and by services", () => {
  const admins = role("admin");
  deepEqual(
    [user("usr_1", "admin"), user("usr_1", "Admin", "administrator"), nobody, service].map((caller) =>
      holdsRole(admins, caller),
    ),
    [true, false, false, true],
  );
});

test("a machine needs the scope of the service for what it reads or writes, and a person none", () => {
  const summary = "For tests";
  const { operations } = declare("orders", {
    database: "orders",
    summary,
    versions: [{ number: 1 }],
    operations: {
      read: get("/read", { summary, access: signedIn }),
      write: post("/write", { summary, access: signedIn }),
      personal: get("/personal", { summary, access: signedIn, personal: true }),
      open: get("/open", { summary, access: anyone }),
    },
  });
  const machine = (...scopes: string[]): Caller => ({ ...user("usr_1"), scopes }) as Caller;
  const refusedOf = (caller: Caller) =>
    Object.values(operations).flatMap((operation) => {
      try {
        authorizeScope(operation, caller);
        return [];
      } catch (error) {
        return [`${operation.name} ${(error as { status: number }).status}`];
      }
    });
  deepEqual(refusedOf(machine("orders:read")), ["write 403", "personal 403"]);
  deepEqual(refusedOf(machine("orders:write")), ["read 403", "personal 403"]);
  deepEqual(refusedOf(machine("catalog:read", "catalog:write")), ["read 403", "write 403", "personal 403"]);
  deepEqual([refusedOf(user("usr_1")), refusedOf(nobody), refusedOf(service)], [[], [], []]);
});
