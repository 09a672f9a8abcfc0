import { day, either, errorCode, id, owner, resource, role, service, signedIn, text } from "ashlar/contract";

export const unknownBook = errorCode("UNKNOWN_BOOK", 422, "There is no such book");

export const loan = resource("loan", {
  path: "/loans",
  id: "lon",
  properties: { bookId: id("bok"), dueOn: day() },
  readOnly: { userId: id("usr"), title: text({ max: 200 }) },
  filterable: ["bookId", "dueOn"],
  owner: "userId",
  access: { create: signedIn, list: either(owner, role("librarian")), get: either(owner, role("librarian")) },
  errors: { create: [unknownBook] },
});

export const loans = service("loans", { summary: "Who has which book", resources: [loan] });
