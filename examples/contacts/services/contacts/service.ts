import { implement } from "ashlar/service";
import { contacts } from "./contract.ts";

export const contactsService = implement(contacts, { migrations: new URL("./migrations/", import.meta.url) });
