import { anyone, errorCode, id, integer, moment, object, post, resource, role, service, text } from "ashlar/contract";

export const show = resource("show", {
  path: "/shows",
  id: "shw",
  properties: {
    title: text({ min: 1, max: 200 }),
    startsAt: moment(),
    freeSeats: integer({ min: 0, max: 100_000 }),
  },
  sortable: ["startsAt"],
  access: { list: anyone, get: anyone, create: role("organiser") },
});

export const booking = resource("booking", {
  path: "/bookings",
  id: "bkg",
  properties: { name: text({ min: 1, max: 100 }), seats: integer({ min: 1, max: 10 }) },
  readOnly: { showId: id("shw") },
  filterable: ["showId"],
  access: { list: role("organiser"), get: role("organiser") },
});

export const soldOut = errorCode("SOLD_OUT", 409, "Fewer seats are free than were asked for");

export const tickets = service("tickets", {
  summary: "Shows, and the seats people book",
  resources: [show, booking],
  operations: {
    bookSeats: post("/shows/{id}/bookings", {
      summary: "Book seats of a show",
      params: { id: id("shw") },
      body: object({ name: text({ min: 1, max: 100 }), seats: integer({ min: 1, max: 10 }) }),
      returns: booking,
      access: anyone,
      errors: [soldOut],
    }),
  },
});
