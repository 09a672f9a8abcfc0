import { anyone, id, list, object, post, resource, role, service, servicesOnly, text } from "ashlar/contract";

export const book = resource("book", {
  path: "/books",
  id: "bok",
  properties: { title: text({ min: 1, max: 200 }), author: text({ min: 1, max: 200 }) },
  sortable: ["title", "author"],
  access: { list: anyone, get: anyone, create: role("librarian") },
});

export const books = service("books", {
  summary: "The books of the library",
  resources: [book],
  operations: {
    titlesOfBooks: post("/books/titles", {
      summary: "What books are called; unknown ones are left out",
      body: object({ bookIds: list(id("bok"), { max: 100 }) }),
      returns: object({ books: list(object({ bookId: id("bok"), title: text({ max: 200 }) }), { max: 100 }) }),
      status: 200,
      access: servicesOnly,
      repeatable: true,
    }),
  },
});
