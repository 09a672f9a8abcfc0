// A contract and its handlers become a running service; the way of a request.
export { type Context } from "./context.ts";
export {
  implement,
  on,
  onTogether,
  type AnyHandler,
  type Handler,
  type Heard,
  type Implementation,
  type Job,
  type StandardInput,
  type Subscriber,
} from "./implement.ts";
export { type Exchange, type FixedRoute, type Forward, type Forwarded, type PipelineOptions } from "./exchange.ts";
export { createPipeline, type Pipeline } from "./pipeline.ts";
export { createRouteTable, type RemoteRoute, type RemoteService, type Route, type RouteTable } from "./routes.ts";
export {
  changeRow,
  createRow,
  createRows,
  listRows,
  pageOfArray,
  readRow,
  removeRow,
  writeChange,
  type Decide,
} from "./rows.ts";
export { together, type Member, type SharedWork } from "./together.ts";
export { createService, migrateService, migrationsOf, type RunningService, type ServiceOptions } from "./running.ts";
