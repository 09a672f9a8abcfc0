import { anyone, integer, resource, service, text } from "ashlar/contract";

export const score = resource("score", {
  path: "/scores",
  id: "sco",
  properties: {},
  readOnly: { name: text({ max: 50 }), points: integer({ min: 0 }) },
  filterable: ["name"],
  sortable: ["points"],
  unique: [["name"]],
  access: { list: anyone },
});

export const scores = service("scores", {
  summary: "Who completed how many tasks",
  resources: [score],
  subscribes: ["task.completed"],
});
