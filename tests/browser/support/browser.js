// Chromium, and what every page in it is watched for.

import { chromium } from 'playwright-core';

const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Nothing on this machine takes longer; a test that waits longer waits for something that does not come. */
const PATIENCE_MS = 15_000;

export function startBrowser() {
  const executablePath = process.env.POSTROOM_CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ARGUMENTS });
}

/** One browser profile with a page, and what its pages complained about. */
export class Profile {
  /** `expects`: complaints that a test brings about itself. */
  static async open(world, { expects, ...options } = {}) {
    const context = await world.browser.newContext({ baseURL: world.url, locale: 'en-GB', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const profile = new Profile(world, context);
    profile.expects = expects;
    await profile.#watch();
    profile.page = await context.newPage();
    return profile;
  }

  constructor(world, context) {
    this.world = world;
    this.context = context;
    this.all = [];
  }

  get complaints() {
    return this.expects ? this.all.filter((it) => !this.expects.test(it)) : this.all;
  }

  async #watch() {
    // Pages need nothing from elsewhere. What a test gives instead is routed at the page, which comes before this.
    await this.context.route(
      (url) => url.hostname !== '127.0.0.1',
      (route) => {
        this.all.push(`a page asked for ${route.request().url()}`);
        return route.abort();
      },
    );
    const ours = (url) => url === '' || url.startsWith(this.world.url);
    // Violations of the content policy are console errors too. That an error page has an error's status is none; what a page
    // includes is watched below.
    this.context.on('console', (message) => {
      const status = message.text().startsWith('Failed to load resource');
      if (['error', 'warning'].includes(message.type()) && ours(message.location().url) && !status) {
        this.all.push(`console: ${message.text()}`);
      }
    });
    this.context.on('weberror', (error) => this.all.push(`script: ${error.error()}`));
    this.context.on('response', (response) => {
      const included = response.request().resourceType() !== 'document' && ours(response.url());
      if (included && response.status() >= 400) {
        this.all.push(`${response.status()} for ${response.url()}`);
      }
    });
    this.context.on('dialog', (dialog) => {
      this.all.push(`a dialog: ${dialog.message()}`);
      return dialog.dismiss();
    });
  }
}
