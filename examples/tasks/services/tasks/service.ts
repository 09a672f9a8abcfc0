import { notFound } from "ashlar/contract";
import { implement } from "ashlar/service";
import { task, taskCompleted, tasks } from "./contract.ts";

export const tasksService = implement(tasks, {
  migrations: new URL("./migrations/", import.meta.url),
  handlers: {
    async completeTask(ctx, { params }) {
      return ctx.transaction(async (tx) => {
        const current = await ctx.table(task).get(tx, params.id, { lock: true });
        if (current === undefined) throw notFound();
        if (current.doneAt !== null) return current;
        const done = (await ctx.table(task).update(tx, current.id, { doneAt: ctx.now() }, ctx.now()))!;
        const { id, version, assignee } = done;
        await ctx.emit(tx, taskCompleted, { aggregateId: id, version, data: { assignee } });
        return done;
      });
    },
  },
});
