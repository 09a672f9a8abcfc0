import { cacheSuite } from "../testing/index.ts";

cacheSuite("memory", { openStore: async () => undefined });
