import { busSuite } from "./bus-suite.ts";
import { createPostgresBus } from "./bus.ts";

busSuite("postgres", async () => createPostgresBus());
