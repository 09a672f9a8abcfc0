import { createApp } from "ashlar/runtime";
import { invoicesService } from "./services/invoices/service.ts";

export default createApp({ name: "invoices", services: [invoicesService] });
