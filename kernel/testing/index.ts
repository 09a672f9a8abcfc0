// What tests of a service use, the platform's own included.
export { cacheSuite, type CacheSuiteOptions } from "./cache-suite.ts";
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./postgres.ts";
export { moving } from "./moving.ts";
export { needsNats, startTestNats, type TestNats, type TestNatsOptions } from "./nats.ts";
export { needsRedis, startTestRedis, type TestRedis } from "./redis.ts";
export { createClient, type TestAnswer, type TestClient, type TestRequest } from "./client.ts";
export { startTestSystem, type TestSystem, type TestSystemOptions } from "./system.ts";
export {
  conformance,
  type Callers as ConformanceCallers,
  type Subject as ConformanceSubject,
} from "./conformance/index.ts";
export { noSequentialScans, type PlanOptions } from "./plans/sequential-scans.ts";
