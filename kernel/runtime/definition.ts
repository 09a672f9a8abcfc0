// What a system is made of: its services, the settings it is started with, and what it lends to its services.

import type { Passwords, Revocations, Tokens } from "../auth/index.ts";
import type { Clock, Logger, Random } from "../base/index.ts";
import type { Calls, CallTarget } from "../call/index.ts";
import type { ServiceContract } from "../contract/index.ts";
import type { Policy } from "../limit/index.ts";
import type { SmtpOptions } from "../mail/index.ts";
import type { Wire } from "../peer/index.ts";
import type { Context, Implementation } from "../service/index.ts";
import type { EndedTokensOperation } from "./ended-tokens.ts";
import type { PeerTlsFiles } from "./peer-tls.ts";
import type { Place } from "./topology.ts";
import type { ApiKeyOperation } from "./verify.ts";

/** What the platform lends to the services of a system when they are made. */
export interface Platform {
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  readonly revocations: Revocations;
  readonly clock: Clock;
  /** What the system is called by people. */
  readonly title: string;
  /** Where links in mails lead; never taken from a request. */
  readonly publicUrl: string;
  /** Refused sign-ins are answered on a multiple of this since they came; 0 is at once. */
  readonly refusalStepMs: number;
  /** A secret of this installation for one purpose, the same in each of its processes. */
  secretFor(purpose: string): Uint8Array;
}

export interface SystemSettings {
  readonly port: number;
  readonly host: string;
  /** Where keys, secrets and the embedded database live. */
  readonly dataDirectory: string;
  /** By database name; the embedded server serves those that are undefined. */
  readonly databaseUrls: Readonly<Record<string, string | undefined>>;
  readonly limits: Readonly<Record<string, Policy | "off">>;
  /** What several processes share; without it each of them is by itself. */
  readonly redisUrl: string | undefined;
  /** How events travel between processes; without it they stay in this one. */
  readonly natsUrl: string | undefined;
  /** The files of what this process shows to the others, and of whom it believes; without them connections are plain. */
  readonly peerTls?: PeerTlsFiles | undefined;
  /** While that is down, each process grants one in so many of every limit. */
  readonly limitShares: number;
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly issuer: string;
  /** Where the pages of the app are, without a slash at the end: links in mails lead there. */
  readonly publicUrl: string;
  /** Without it mails are kept, and not sent. */
  readonly smtp: SmtpOptions | undefined;
  /** Refused sign-ins are answered on a multiple of this since they came, so that their time tells less; 0 is at once. */
  readonly refusalStepMs: number;
  readonly requestTimeoutMs: number;
  /** How long a process that was asked to end serves on, for those who have not heard of it. */
  readonly drainLeadMs: number;
  /** How long rows that were deleted softly stay before they are erased; undefined: for ever. */
  readonly purgeDeletedAfterMs: number | undefined;
  readonly checkAnswers: boolean;
}

export interface SystemDefinition {
  readonly name: string;
  readonly title: string;
  readonly version: string;
  /** The contracts, for documents and tools that start nothing. */
  readonly contracts: readonly ServiceContract[];
  services(platform: Platform): readonly Implementation[];
  /** Knows the API keys; without it there are none. */
  readonly apiKeys?: ApiKeyOperation;
  /** Knows what ended access tokens; a system whose tokens end early needs it to run in several processes. */
  readonly endedTokens?: EndedTokensOperation;
  /** Fills an empty store; runs only on the embedded database. Answers lines for the person who started it. */
  demo?(contextOf: (service: string) => Context | undefined, platform: Platform): Promise<readonly string[]>;
  /** What is left of the demo data, by name: while there is any, the start is refused. For production. */
  demoRemains?(contextOf: (service: string) => Context | undefined, platform: Platform): Promise<readonly string[]>;
}

export interface SystemOptions {
  definition: SystemDefinition;
  settings: SystemSettings;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Whether to fill an empty store with demo data: on the embedded databases only, or always. */
  demo: boolean | "always";
  /** What of the system runs in this process. Default: everything. */
  place?: Place;
  onProgress?: (message: string) => void;
  /** A bound socket that this process was given to listen on, in the place of the host and port of the settings. */
  listenFd?: number;
  /** For tests, which let what is between services be slow, fail or lie. */
  faults?: Faults;
}

/** What stands in the place of the ways between services; each is given the real one. */
export interface Faults {
  /** A service as its callers reach it, here or elsewhere. */
  target?(service: string, target: CallTarget): CallTarget;
  /** All calls of the services of a process. */
  calls?(calls: Calls, targetOf: (service: string) => CallTarget | undefined): Calls;
  /** What goes to other processes: requests, calls, events. */
  wire?(wire: Wire): Wire;
}
