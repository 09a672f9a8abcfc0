import { anyone, flag, resource, service, text } from "ashlar/contract";

export const note = resource("note", {
  path: "/notes",
  id: "not",
  properties: {
    title: text({ min: 1, max: 100 }),
    body: text({ max: 10_000, default: "" }),
    pinned: flag({ default: false }),
  },
  filterable: ["pinned"],
  sortable: ["title"],
  searchable: ["title", "body"],
  access: { list: anyone, create: anyone, get: anyone, replace: anyone, update: anyone, remove: anyone },
});

export const notes = service("notes", { summary: "Notes", resources: [note] });
