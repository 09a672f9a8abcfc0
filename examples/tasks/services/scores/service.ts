import { decodeId } from "ashlar/base";
import { implement, on } from "ashlar/service";
import { taskCompleted } from "../tasks/contract.ts";
import { scores } from "./contract.ts";

export const scoresService = implement(scores, {
  migrations: new URL("./migrations/", import.meta.url),
  subscribers: [
    on(taskCompleted, async (ctx, { data }, tx) => {
      await tx.query(
        `insert into scores (id, name, points, version, created_at, updated_at) values ($1, $2, 1, 1, $3, $3)
         on conflict (name) do update set points = scores.points + 1, version = scores.version + 1, updated_at = $3`,
        [decodeId("sco", ctx.newId("sco")), data.assignee, ctx.now()],
      );
    }),
  ],
});
