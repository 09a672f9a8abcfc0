import { busSuite } from "../bus-suite.ts";
import { needsNats } from "../../testing/index.ts";
import { impatient, newSystem, openBus, startNatsForFile } from "./fixture.ts";

const server = await startNatsForFile();

busSuite("nats", (t) => openBus(t, server, { limits: impatient }), {
  describe: needsNats,
  async createEnds(t) {
    const options = { system: newSystem(), limits: impatient };
    return [await openBus(t, server, options), await openBus(t, server, options)];
  },
});
