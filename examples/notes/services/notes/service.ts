import { implement } from "ashlar/service";
import { notes } from "./contract.ts";

export const notesService = implement(notes, { migrations: new URL("./migrations/", import.meta.url) });
