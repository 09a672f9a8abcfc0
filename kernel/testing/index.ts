// What tests of a service use, the platform's own included.
export { createTestDatabase, type TestDatabase, type TestDatabaseOptions } from "./postgres.ts";
