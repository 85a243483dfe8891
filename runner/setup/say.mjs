/** How the setup scripts talk to a person: short lines on stderr, and problems that end in an instruction. */

/** One short line about what happens now. */
export function say(line) {
  process.stderr.write(`• ${line}\n`);
}

/** Something a person has to do before we can go on. `hint` says what, one step per line. */
export class SetupProblem extends Error {
  constructor(message, hint, exitCode = 3) {
    super(message);
    this.name = 'SetupProblem';
    this.hint = hint;
    this.exitCode = exitCode;
  }
}

/** Runs `main`; a problem becomes an instruction, never a stack trace. Sets the exit code to what `main` resolves to. */
export async function runMain(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\n${message}\n`);
    if (error instanceof SetupProblem && error.hint)
      process.stderr.write(`\nWhat to do:\n${indent(error.hint)}\n`);
    process.exitCode = error instanceof SetupProblem ? error.exitCode : 5;
  }
}

function indent(text) {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
}
