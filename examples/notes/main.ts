import { createApp } from "ashlar/runtime";
import { notesService } from "./services/notes/service.ts";

export default createApp({ name: "notes", services: [notesService] });
