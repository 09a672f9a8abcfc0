import type { Platform } from "ashlar/runtime";
import { noSequentialScans } from "ashlar/testing";
import { identityService } from "./service.ts";

// Tables are all that is looked at here, and no operation runs.
await noSequentialScans(identityService({} as Platform));
