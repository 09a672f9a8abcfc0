import { anyone, event, id, moment, nullable, object, post, resource, service, text } from "ashlar/contract";

const name = () => text({ min: 1, max: 50 });

export const task = resource("task", {
  path: "/tasks",
  id: "tsk",
  properties: { title: text({ min: 1, max: 200 }), assignee: name() },
  readOnly: { doneAt: nullable(moment()) },
  filterable: ["assignee"],
  access: { list: anyone, create: anyone, get: anyone },
});

export const taskCompleted = event("task.completed", {
  aggregate: "tsk",
  summary: "Somebody completed a task",
  data: object({ assignee: name() }),
});

export const tasks = service("tasks", {
  summary: "What is to be done, and by whom",
  resources: [task],
  events: [taskCompleted],
  operations: {
    completeTask: post("/tasks/{id}/completion", {
      summary: "Complete a task; repeating it changes nothing",
      params: { id: id("tsk") },
      returns: task,
      status: 200,
      access: anyone,
      emits: [taskCompleted],
      repeatable: true,
    }),
  },
});
