import { createApp } from "ashlar/runtime";
import { ticketsService } from "./services/tickets/service.ts";

export default createApp({ name: "tickets", services: [ticketsService] });
