import { createApp } from "ashlar/runtime";
import { scoresService } from "./services/scores/service.ts";
import { tasksService } from "./services/tasks/service.ts";

export default createApp({ name: "tasks", services: [tasksService, scoresService] });
