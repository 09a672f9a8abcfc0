// What a service promises, as plain data, and everything that can be derived from it.
export {
  anyone,
  either,
  owner,
  neededScope,
  role,
  self,
  servicesOnly,
  signedIn,
  type Access,
  type Grant,
} from "./access.ts";
export {
  cachedResources,
  changedTags,
  everyTag,
  filledTag,
  listTag,
  rowTag,
  type CacheSpec,
  type ChangedRows,
  type OperationCacheSpec,
} from "./cache.ts";
export {
  conflict,
  errorCode,
  errors,
  Failure,
  invalid,
  refuse,
  notFound,
  unprocessable,
  type Detail,
  type ErrorCode,
  type FailureOptions,
} from "./errors.ts";
export { event, type Envelope, type EventType } from "./event.ts";
export {
  del,
  get,
  patch,
  post,
  put,
  type Action,
  type AnyOperation,
  type In,
  type Method,
  type Named,
  type Operation,
  type Out,
  type RateLimit,
} from "./operation.ts";
export {
  answered,
  isPage,
  bulkAnswer,
  bulkBody,
  createBody,
  deletedAt,
  pageOf,
  replaceBody,
  type Page,
} from "./bodies.ts";
export { listUnder, standardOperations } from "./standard-operations.ts";
export { resource, restorersOf, type Representation, type Resource, type RowOf, type Standard } from "./resource.ts";
export { snakeCase } from "./naming.ts";
export {
  grammarOf,
  maxLimit,
  pagesOnly,
  readItemQuery,
  readListQuery,
  readValue,
  type Filter,
  type Grammar,
  type ListQuery,
  type QueryParameters,
  type SortKey,
} from "./query.ts";
export {
  currency,
  day,
  email,
  flag,
  id,
  integer,
  isNullable,
  isOptional,
  kindOf,
  list,
  moment,
  money,
  nullable,
  object,
  oneOf,
  optional,
  schemaOf,
  text,
  type Fields,
  type JsonSchema,
  type Static,
  type TSchema,
  type ValueKind,
  type Values,
} from "./schema.ts";
export { service, type ServiceContract } from "./service.ts";
export { compileValidator, type Validate } from "./validate.ts";
export { change, shapeOf, type ApiVersion, type Change, type Shape } from "./version.ts";
export { asyncApiDifferences } from "./differences/asyncapi.ts";
export type { Difference } from "./differences/difference.ts";
export { openApiDifferences } from "./differences/openapi.ts";
export { asyncApi } from "./asyncapi.ts";
export { openApi, type DocumentInfo } from "./openapi/openapi.ts";
export { errorCatalogue, errorsOf } from "./openapi/errors.ts";
