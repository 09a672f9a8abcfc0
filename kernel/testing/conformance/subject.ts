// What the conformance suite must be told about a resource. The rest it reads in the contract.

import type { Resource, ServiceContract } from "../../contract/index.ts";
import type { SystemSettings } from "../../runtime/index.ts";
import type { TestSystem } from "../system.ts";

export type Row = Record<string, unknown> & { id: string };
export type Body = Record<string, unknown>;

/** `Authorization` headers. */
export interface Callers {
  /** May do everything that the resource offers, with every row the suite makes. */
  able: string;
  /** Somebody else who may do as much; without one, what needs two callers is not checked. */
  other?: string;
  /** Signed in, and may do none of what is not for anyone. */
  stranger?: string;
}

export interface Subject {
  contract: ServiceContract;
  resource: Resource;
  /** Starts a system that serves the contract. Called twice: with default settings, and with limits and CORS. */
  start(settings?: Partial<SystemSettings>): Promise<TestSystem>;
  /** Must not make requests: in one of the two systems they are counted. */
  callers(system: TestSystem): Promise<Callers>;
  /**
   * The n-th body that a create of this version accepts. Bodies of different `n` differ in every unique
   * property and in at least one other that a PATCH may set.
   */
  body(n: number, version: number): Body;
  /** The version of the API to speak where versions are not the point. Default: the newest. */
  version?: number;
  /** The values of the parameters in the resource's path. */
  params?: Readonly<Record<string, string>>;
  /** Makes the n-th row where `able` cannot POST one; answers its id. */
  make?(system: TestSystem, n: number): Promise<string>;
  /** A PATCH that changes this row. Default: what differs in the next body. */
  variation?(row: Row): Body;
  /** Properties that the service derives from what was sent, and therefore do not read back as sent. */
  derived?: readonly string[];
}
