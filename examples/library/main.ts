import { createApp } from "ashlar/runtime";
import { booksService } from "./services/books/service.ts";
import { loansService } from "./services/loans/service.ts";

export default createApp({ name: "library", services: [booksService, loansService] });
