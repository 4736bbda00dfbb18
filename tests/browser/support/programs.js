// Starts the programs under test and ends them again.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const BUILT = process.env.POSTROOM_BIN_DIR ?? fileURLToPath(new URL('../../../target/debug', import.meta.url));

/** Where a program of the build is. */
export const program = (name) => join(BUILT, name);

/** Runs a command to its end and gives what it printed. */
export async function run(name, ...args) {
  const { stdout } = await promisify(execFile)(program(name), args);
  return stdout;
}

/** A program that says one line of JSON when it is ready, and runs until it is stopped. */
export class Running {
  static async start(name, ...args) {
    const child = spawn(program(name), args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const running = new Running(child);
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${code} before it was ready:\n${running.errors}`);
    });
    const failed = once(child, 'error').then(([error]) => {
      throw new Error(`${name} cannot be started (cargo build -p postroom -p postroom-sims): ${error.message}`);
    });
    // What loses the race is expected later, and no error then.
    ended.catch(() => {});
    failed.catch(() => {});
    const said = once(createInterface({ input: child.stdout }), 'line');
    const [line] = await Promise.race([said, ended, failed]);
    running.facts = JSON.parse(line);
    return running;
  }

  constructor(child) {
    this.child = child;
    this.errors = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      // The end of it is enough to see why something went wrong.
      this.errors = (this.errors + text).slice(-20_000);
    });
  }

  async stop() {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    await ended;
  }
}
