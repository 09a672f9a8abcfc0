// The commands of `ashlar`, and how they end.
//
// A command is loaded when it is called, so that help and mistakes are answered at once.

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import manifest from "../package.json" with { type: "json" };
import { decodeId, parseDuration } from "../base/index.ts";
import { describeError, UsageError } from "./errors.ts";

const wrongUse = 2;

const exitCodes = `
Exit codes:
  0    done
  1    it could not be done: one line on stderr says why (LOG_LEVEL=debug: with the stack)
  2    the command line is wrong
  130  ended at once, by a second Ctrl-C

The app is the module that the nearest package.json names: "ashlar": { "app": "main.ts" }.`;

export async function main(args: readonly string[]): Promise<void> {
  // Whoever reads our output may stop reading (`ashlar events list | head -1`): then nobody misses it.
  process.stdout.on("error", () => {});
  try {
    await createProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = 1;
    // commander has said itself what is wrong, or shown the help that was asked for.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : wrongUse;
    else if (error instanceof UsageError) {
      process.exitCode = wrongUse;
      process.stderr.write(`ashlar: ${error.message}\n`);
    } else process.stderr.write(`ashlar: ${describeError(error)}\n`);
  }
}

function createProgram(): Command {
  const program = new Command("ashlar")
    .description("Starts an Ashlar app and looks after it.")
    .version(manifest.version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .option("-C, --app <folder>", "the folder of the app, as if called there")
    .hook("preAction", (command) => enter(command.opts<{ app?: string }>().app))
    .addHelpText("after", exitCodes)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "ashlar: ")) })
    .showHelpAfterError("(--help says more)")
    .exitOverride();

  program
    .command("start")
    .description("start the app and serve until SIGTERM or Ctrl-C")
    .option("--topology <name>", "spread over processes: one of the app's topologies (default: everything in one)")
    .option("--process <name>", "only this process of the topology, as a container or a unit runs it")
    .addOption(
      new Option(
        "--bus <name>",
        "what carries events between them (default: NATS_URL, else an installed nats-server, else postgres)",
      ).choices(["postgres", "nats"]),
    )
    .addOption(
      new Option(
        "--cache <name>",
        "what they share (default: REDIS_URL, else an installed redis-server or valkey-server, else memory)",
      ).choices(["memory", "redis"]),
    )
    .addOption(new Option("--demo", "fill the databases with demo data").hideHelp())
    .addHelpText("after", signals)
    .action(async (options) => (await import("./start.ts")).start(options));
  program
    .command("dev")
    .description("start the app, and again whenever one of its files changes")
    .action(async () => (await import("./dev.ts")).develop());
  program
    .command("migrate")
    .description("migrate all databases and end")
    .action(async () => (await import("./migrate.ts")).migrate());
  program
    .command("token")
    .description("sign an access token for trying the app out, good for 15 minutes")
    .option("--user <id>", "whose, such as usr_...; a new user's otherwise", readUserId)
    .option("--role <name...>", "with these roles")
    .addHelpText("after", "\nWho can run this can read the signing keys, so it gives nobody more than they had.")
    .action(async (options) => (await import("./token.ts")).printToken(options));
  program
    .command("config")
    .description("list the variables of the environment with their meaning and default")
    .action(async () => (await import("./variables.ts")).printVariables());
  program
    .command("mail")
    .description("the newest mails, sent or kept, as their recipients read them; JSON lines when not on a terminal")
    .option("--to <address>", "only mails to this address")
    .option("--limit <count>", "at most this many", readCount, 10)
    .action(async (options) => (await import("./mail.ts")).showMails(options));
  addKeys(program);
  addEvents(program);
  addContract(program);
  return program;
}

const signals = `
The environment configures it: \`ashlar config\` lists the variables. A socket to listen on may be passed as systemd does
(LISTEN_FDS).

SIGTERM, SIGINT and SIGHUP end it in order, within ten seconds; again, at once. SIGUSR2, where it runs the processes
of a topology, replaces them one by one, and nobody who uses it meanwhile notices.`;

function addKeys(program: Command): void {
  const keys = program
    .command("keys")
    .description("look at the keys that sign tokens, and change them; JSON lines")
    .addHelpText("after", rotation);
  keys
    .command("list")
    .description("every key: published (does not sign yet), signs, or verifies (until when, at the latest)")
    .action(async () => printKeys(({ list }) => list()));
  keys
    .command("create")
    .description(
      "make the secret and the first key in the data folder, unless they are there: for copies on several machines",
    )
    .action(async () => printKeys(({ create }) => create()));
  keys
    .command("rotate")
    .description("make a new key, which signs after a minute; remove keys whose tokens have all expired")
    .option("--signs-after <duration>", "later, where copies of the folder take longer, such as 10m", readDuration)
    .addHelpText("after", rotation)
    .action(async (options) => printKeys(({ rotate }) => rotate(undefined, options)));
  keys
    .command("retire")
    .description("end a key, and with it what it signed")
    .argument("<kid>", "the id of a key")
    .option("--now", "also while tokens that it signed are good: whoever holds one signs in again")
    .addHelpText("after", rotation)
    .action(async (kid, options) => printKeys(({ retire }) => retire(kid, options)));
}

async function printKeys(command: (keys: typeof import("./keys.ts")) => Promise<object[]>): Promise<void> {
  const keys = await import("./keys.ts");
  keys.print(await command(keys));
}

const rotation = `
Nobody notices a rotation: the new key is in /.well-known/jwks.json before it signs, and what the old one signed
is good until it expires. Running processes see either within 30 seconds. Rotate from time to time (cron), and
when a key may have been seen by others:

  ashlar keys rotate                the next key; wait a minute until it signs
  ashlar keys retire <kid> --now    the old one is worth nothing any more, to whoever has it`;

function addEvents(program: Command): void {
  const events = program.command("events").description("look at events and at what could not be handled; JSON lines");
  const service = ["--service <name>", "only of this service"] as const;
  const limit = ["--limit <count>", "at most this many", readCount, 100] as const;
  events
    .command("list")
    .description("the newest events, oldest first, in the envelope that subscribers get")
    .option("--service <name>", "only events that this service emitted")
    .option("--type <type>", "only this type, such as order.created")
    .option("--aggregate <id>", "only events of this aggregate, such as ord_...")
    .option(...limit)
    .option("--state", "add the service, whether all have handled it (delivered, pending), and who has not")
    .action(async (options) => (await import("./events.ts")).list(options));
  events
    .command("dead")
    .description("the events that a service could not handle, with the reason")
    .option("--service <name>", "only what this service could not handle")
    .option(...limit)
    .action(async (options) => (await import("./events.ts")).listDeadLetters(options));
  events
    .command("replay")
    .description("ask the running app to handle dead letters again: one and all of its aggregate, or all")
    .argument("[id]", "the id of a dead letter", readEventId)
    .option("--all", "every dead letter")
    .option(...service)
    .action(async (id, options) => (await import("./events.ts")).replay(id, options));
  events
    .command("drop")
    .description("throw a dead letter away: its event will never have an effect")
    .argument("<id>", "the id of a dead letter", readEventId)
    .option(...service)
    .action(async (id, options) => (await import("./events.ts")).drop(id, options));
}

function addContract(program: Command): void {
  const contract = program
    .command("contract")
    .description("the documents made from the contracts, kept beside them")
    .addHelpText("after", promise);
  contract
    .command("write")
    .description("write openapi.json and asyncapi.json of every service, unless a change breaks clients")
    .option("--breaking <reason>", "write all the same, and record what breaks in breaking-changes.json", readReason)
    .option("--against <commit or folder>", "compare with this, not with the files that are there")
    .addHelpText("after", promise)
    .action(async (options) => (await import("./contract.ts")).write(options));
  contract
    .command("check")
    .description("fail when a document is not what its contract says now; name each change, breaking or compatible")
    .option("--against <commit or folder>", "compare with this instead, and fail only when a change breaks clients")
    .addHelpText("after", promise)
    .action(async (options) => (await import("./contract.ts")).check(options));
}

const promise = `
A committed document is a promise to clients. A request may be loosened and an answer tightened; anything else
in an existing version breaks clients, and so does whatever cannot be judged. New paths, such as those of a new
version, break nothing; a version past its sunset may go. An event that must change gets a new type.

  ashlar contract check                         in CI: the files are what the contracts say
  ashlar contract check --against origin/main   in CI: nothing breaks clients of what is on main
  ashlar contract write --breaking "<reason>"   where it must be: breaking-changes.json shows it to the reviewer`;

function readReason(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Say why clients may break.");
  return text.trim();
}

function enter(folder: string | undefined): void {
  if (folder === undefined) return;
  try {
    process.chdir(folder);
  } catch {
    throw new UsageError(`there is no folder ${folder}`);
  }
}

const countMax = 10_000;

function readCount(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > countMax) throw new InvalidArgumentError(`It must be a number from 1 to ${countMax}.`);
  return count;
}

function readDuration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError("It must be a duration, such as 10m.");
  return ms;
}

function readUserId(text: string): string {
  if (decodeId("usr", text) === undefined)
    throw new InvalidArgumentError("It must be the id of a user, such as usr_01h455vb4pex5vsknk084sn02q.");
  return text;
}

function readEventId(text: string): string {
  if (decodeId("evt", text) === undefined)
    throw new InvalidArgumentError("It must be the id of an event, such as evt_01h455vb4pex5vsknk084sn02q.");
  return text;
}
