#!/usr/bin/env node
/** The program `redis-sync`. Imports nothing heavy: --help must answer at once. */
import { reportFailure } from './cli/failure.ts';
import { processIo } from './cli/io.ts';
import { main } from './cli/main.ts';

/** How long something forgotten may hold the process up after the command has ended. */
const LINGER_MS = 2000;

const io = processIo();
process.on('uncaughtException', (error) => process.exit(reportFailure(error, io)));
const exitCode = await main(process.argv.slice(2), io);
process.exitCode = exitCode;
setTimeout(() => process.exit(exitCode), LINGER_MS).unref();
