// A customer's and an admin's day, over HTTP against a store that runs: `npm run tour [-- <url>]`.
//
// It is a client like any other and may be played again and again: it registers a customer of its own,
// and leaves prices and stock as it found them.

import { systemClock, systemRandom } from "ashlar/base";
import { readTourSettings } from "./config.ts";
import { arriveAsAdmin, changePrice, deliver, restock } from "./tour/admin.ts";
import { arrive, browse, changeMind, checkOut, leave } from "./tour/customer.ts";
import { showEvents } from "./tour/events.ts";
import { showEnd } from "./tour/show.ts";
import { createStage, type Stage, TourError } from "./tour/stage.ts";

async function tour(stage: Stage, password: string): Promise<void> {
  await stage.play({ name: "anybody" }, { method: "GET", path: "/health", expect: 200 });
  const customer = await arrive(stage, systemRandom);
  const products = await browse(stage, customer);
  const order = await checkOut(stage, customer, products);
  const admin = await arriveAsAdmin(stage, password);
  await changePrice(stage, admin, customer, products[0]!);
  await deliver(stage, admin, order);
  const cancelled = await changeMind(stage, customer, products[2]!);
  await restock(stage, admin, order);
  await leave(stage, customer);
  await showEvents([customer.id, order.id, cancelled.id]);
}

try {
  const { url, password } = readTourSettings();
  const [given = url] = process.argv.slice(2);
  if (!URL.canParse(given))
    throw new TourError(
      `"${given}" is not a URL. Say where the store is like this: npm run tour -- http://localhost:3000`,
    );
  await tour(createStage(new URL(given).origin, systemClock), password);
  showEnd("The tour is over; everything was as it should be.", "green");
} catch (error) {
  if (!(error instanceof Error)) throw error;
  // A mistake in the tour itself is shown with its place.
  showEnd(
    `The tour stopped here. ${error instanceof TourError || error.name === "SettingsError" ? error.message : error.stack}`,
    "red",
  );
  process.exitCode = 1;
}
