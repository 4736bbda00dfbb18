// One world per test file: the server, four simulators and a browser, in a temporary folder that goes with it.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startBrowser } from './browser.js';
import { Running, run } from './programs.js';
import { settings } from './settings.js';
import { Simulator } from './simulators.js';

const SERVICES = ['openid', 'imanage', 'netdocuments', 'highq'];

export class World {
  static async start(more = () => '') {
    const world = new World();
    try {
      await world.#start(more);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  async #start(more) {
    // Short: the server's socket is below it, and the paths of sockets are bounded.
    this.folder = await mkdtemp(join(tmpdir(), 'pr-'));
    this.config = join(this.folder, 'postroom.toml');
    const keys = run('postroom', 'keys', 'init', '--to', this.folder);
    await Promise.all([keys, ...SERVICES.map(async (name) => (this[name] = await Simulator.start(name)))]);
    await writeFile(this.config, settings(this.folder, this) + more(this));
    const server = Running.start('postroom', 'serve', '--config', this.config, '--json');
    [this.server, this.browser] = await Promise.all([server, startBrowser()]);
    this.url = this.server.facts.url;
  }

  async stop() {
    await this.browser?.close();
    const running = [this.server, ...SERVICES.map((name) => this[name])];
    await Promise.all(running.map((it) => it?.stop()));
    if (this.folder) await rm(this.folder, { recursive: true, force: true });
  }

  /** Nothing goes wrong at the services any more, and they ask whoever comes. */
  async calm() {
    const usual = { deny: false, state: 'echo', approve_as: null };
    await Promise.all(SERVICES.flatMap((name) => [this[name].mend(), this[name].switches(usual)]));
  }

  /** An administrator at the command line. */
  async command(...args) {
    const printed = await run('postroom', ...args, '--config', this.config, '--json');
    return printed.trim().split('\n').map((line) => JSON.parse(line));
  }

  /** Adds a person; gives the address of their one-time link. */
  async invited(email, ...options) {
    const [added] = await this.command('person', 'add', email, ...options);
    return added.invitation.url;
  }

  /** Asks the server as a program does, with a bearer token. */
  api(path, token) {
    return fetch(`${this.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  }
}
