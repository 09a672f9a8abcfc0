import { createApp } from "ashlar/runtime";
import { contactsService } from "./services/contacts/service.ts";

export default createApp({ name: "contacts", services: [contactsService] });
